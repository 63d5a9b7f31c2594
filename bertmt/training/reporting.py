"""What a training run tells: its events, and a log for people."""

import logging
import resource
import sys
import time
from collections.abc import Sequence

import torch

from bertmt.recipe.step_plan import evaluation_count
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Finished, PartlyEvaluated, Resumed, Step, now
from bertmt.tasks.task import Task
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.divergence import check_step
from bertmt.training.evaluation import Evaluation, Evaluator
from bertmt.training.steps.step import StepResult
from bertmt.training.timing import TimeLeft

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LOG_LINES = 30.0


class Reporter:
    """Writes the events of one attempt."""

    def __init__(self, state: TrainingState, events: EventWriter, attempt: int):
        self.progress = state.progress
        self.stopwatch = state.stopwatch
        self.tally = state.tally
        self._state = state
        self._run = run = state.run
        self._events = events
        self._attempt = attempt
        evaluations = evaluation_count(run.recipe, run.epochs)
        self._time_left = TimeLeft(sum(run.pretraining.values()) + run.plan.batches * len(run.stages), evaluations)
        self._last_step_at = time.monotonic()
        self._last_log_at = time.monotonic()

    def started(self, resumes: bool, differences: Sequence[str], begins_anew: str = "") -> None:
        """The first event, and the second where the run goes on from a checkpoint.

        Args:
            differences: why it is then not bit-exact.
            begins_anew: why it starts over though a checkpoint was expected; "": it does not.
        """
        about = self._run.description(self._attempt, resumes, begins_anew)
        self._events.write(about)
        if resumes:
            self._resumed(differences)
        log.info(
            "Run of %d steps on %s in %s with %d threads; %d of %d parameters train.",
            *(about.steps_total, about.device, about.precision, about.threads),
            *(about.trainable_parameters, about.total_parameters),
        )
        self._last_step_at = time.monotonic()

    def _resumed(self, differences: Sequence[str]) -> None:
        self._time_left.skip(self._state.batches_done(), self._state.evaluations_done())
        self._events.write(
            Resumed(
                at=now(),
                step=self.progress.step,
                evaluated_epoch=self.progress.evaluated_epoch,
                evaluated_step=self.progress.evaluated_step,
                differences=differences,
            )
        )
        log.info("Resumed at step %d.", self.progress.step)
        for difference in differences:
            log.warning("Not bit-exact from here on: %s", difference)

    def stepped(self, epoch: int, phase: str, learning_rate: float, result: StepResult) -> None:
        """One `step` event.

        Raises:
            DivergedError: a number of the step is not finite; the event is written all the same.
        """
        seconds = self._lap()
        for name, batch in result.batches.items():
            self.tally.add(name, batch)
        self._time_left.step_done(len(result.batches), seconds)
        values, left = self._series(result, learning_rate, seconds), self._time_left.seconds()
        self._events.write(
            Step(at=now(), step=self.progress.step, epoch=epoch, phase=phase, values=values, seconds_left=left)
        )
        examples = {name: self._run.streams[name].example_ids(batch.rows) for name, batch in result.batches.items()}
        check_step(self.progress.step, result.losses, result.gradient_norm, examples)
        self.progress.step += 1
        self.progress.phase_step += 1
        if time.monotonic() - self._last_log_at > SECONDS_BETWEEN_LOG_LINES:
            self._last_log_at = time.monotonic()
            loss = sum(result.losses.values())
            log.info("Epoch %d, step %d of %d: loss %.4f.", epoch, self.progress.step, self._run.steps_total, loss)

    def _series(self, result: StepResult, learning_rate: float, seconds: float) -> dict[str, float]:
        tokens = sum(batch.token_count for batch in result.batches.values())
        values = {
            "loss": sum(result.losses.values()),
            **{f"loss/{name}": loss for name, loss in result.losses.items()},
            "gradient_norm": result.gradient_norm,
            "learning_rate": learning_rate,
            "tokens_per_second": tokens / seconds,
        }
        if result.surgery:
            values["conflict_share"] = result.surgery.projections / result.surgery.pairs
        numeric = [name for name in result.batches if name in self._run.recipe.tasks and not self._about(name).classes]
        if self._run.recipe.pearson and numeric:
            for name in numeric:
                self.tally.add_pearson(result.defined[name])
            values["pearson_undefined"] = self.tally.pearson_undefined
        return values

    def _about(self, task: str) -> Task:
        return self._run.recipe.task(task)

    def evaluated(self, epoch: int, evaluator: Evaluator) -> Evaluation:
        """Evaluate, and tell of it; the step of the event is the number of steps that the weights have had."""
        start = time.monotonic()
        evaluation = evaluator.evaluate(epoch)
        seconds = time.monotonic() - start
        self.stopwatch.add("evaluation", seconds)
        self._time_left.evaluation_done(seconds)
        self._events.write(
            Evaluated(
                at=now(),
                epoch=epoch,
                step=self.progress.step,
                scores=evaluation.scores,
                metrics=evaluation.metrics,
                overall=evaluation.overall,
                losses=evaluation.losses,
                sizes=evaluation.sizes,
                predictions=evaluation.predictions,
                seconds=round(seconds, 3),
            )
        )
        self.progress.evaluated_epoch, self.progress.evaluated_step = epoch, self.progress.step
        scores = ", ".join(f"{task} {_shown(value)}" for task, value in evaluation.scores.items())
        log.info("Epoch %d, after %d steps: dev %s.", epoch, self.progress.step, scores)
        self._last_step_at = time.monotonic()
        return evaluation

    def glance(self, epoch: int) -> None:
        """Where they are due, dev scores of a few examples, of the weights as they are between two steps."""
        partial = self._run.partial
        if not partial.is_due(self.progress.step, self.progress.evaluated_step):
            return
        start = time.monotonic()
        with self._state.current_weights():
            found = partial.evaluate(epoch)
        seconds = time.monotonic() - start
        self.stopwatch.add("partial evaluation", seconds)
        self.stopwatch.add("training" if epoch else "pretraining", -seconds)  # whose time is being measured around it
        self._events.write(
            PartlyEvaluated(
                at=now(),
                epoch=epoch,
                step=self.progress.step,
                scores=found.scores,
                sizes=found.sizes,
                predictions=found.predictions,
                seconds=round(seconds, 3),
            )
        )
        self._last_step_at += seconds  # it is no part of the next step

    def finished(self, epoch: int, selected: Evaluation) -> None:
        """The last event."""
        self._events.write(
            Finished(
                at=now(),
                epoch=epoch,
                step=self.progress.step,
                selected_epoch=selected.epoch,
                scores=selected.scores,
                seconds=self.stopwatch.rounded(),
                peak_memory_mib=peak_memory_mib(self._run.device),
                examples=self.tally.examples,
                tokens=self.tally.tokens,
                passes=self.tally.passes(self._run.streams),
                model=self._run.recipe.keep_model,
                remarks=self.tally.remarks(),
            )
        )
        log.info("Finished after %d steps; the run's scores are those of epoch %d.", self.progress.step, selected.epoch)

    def _lap(self) -> float:
        """Seconds since the last step; the first after an evaluation counts from its end."""
        now = time.monotonic()
        seconds, self._last_step_at = now - self._last_step_at, now
        return seconds


def peak_memory_mib(device: torch.device) -> int:
    """The most memory the process held so far: resident, or on a GPU what PyTorch allocated there."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) >> 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10  # bytes on macOS, KiB elsewhere


def _shown(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.3f}"
