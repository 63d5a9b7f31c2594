"""Which epochs of a run can be looked at in a task, with their scores: what a scrubber over epochs goes through."""

from collections.abc import Collection
from dataclasses import dataclass

from bertmt.errors import NotFoundError
from bertmt.registry import metrics
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import evaluations
from bertmt.registry.states import ENDED, WAITING, State
from bertmt.services.analysis.run_predictions import epochs_of
from bertmt.tasks.task import PARTIAL

NOW = -1  # in the place of an epoch: the partial predictions of a run that goes on


@dataclass(frozen=True)
class Partial:
    """The newest predictions of a running run on a fixed part of its dev examples.

    Attributes:
        epoch: the one in progress.
        step: after so many steps.
        examples: how many they are of; `all_examples`: of how many, None before the first whole evaluation.
    """

    epoch: int
    step: int
    score: float | None
    examples: int
    all_examples: int | None


@dataclass(frozen=True)
class Evaluated:
    """The epochs of one task whose dev predictions are stored.

    Attributes:
        epochs: ascending, of whole evaluations; epoch 0 is before any training. None at all only where there is `now`.
        scores: of each of them, by the task's metric; None where one is undefined.
        selected: the epoch whose scores are the run's; while it runs, the newest, or `NOW`.
        is_final: whether the run has finished, so that `selected` stays.
        now: partial predictions that are newer than all whole ones.
        steps: of each of `epochs`, after how many steps; None where that is not known.
    """

    task: str
    epochs: tuple[int, ...]
    scores: tuple[float | None, ...]
    selected: int
    is_final: bool
    now: Partial | None = None
    steps: tuple[int | None, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """What can be gone to: the epochs and, behind them, `NOW`."""
        return self.epochs if self.now is None else (*self.epochs, NOW)

    @property
    def place_scores(self) -> tuple[float | None, ...]:
        """The scores of `places`."""
        return self.scores if self.now is None else (*self.scores, self.now.score)

    def score_at(self, epoch: int) -> float | None:
        """The score of an epoch, or `NOW`; None where it has none."""
        return dict(zip(self.places, self.place_scores, strict=True)).get(epoch)

    def step_at(self, epoch: int) -> int | None:
        """After how many steps an epoch, or `NOW`, was evaluated; None where that is not known."""
        if epoch == NOW:
            return self.now.step if self.now is not None else None
        return dict(zip(self.epochs, self.steps, strict=False)).get(epoch)

    def neighbour(self, epoch: int, step: int) -> int:
        """The place that is so many places farther on; at an end the last there is."""
        places = self.places
        nearest = min(range(len(self.epochs)), key=lambda index: abs(self.epochs[index] - epoch), default=0)
        place = (places.index(epoch) if epoch in places else nearest) + step
        return places[max(0, min(place, len(places) - 1))]


def evaluated_tasks(database: Database, run: Run, subject: str, tasks: Collection[str]) -> dict[str, Evaluated]:
    """What is stored of a run in some tasks, by task, in the order of `tasks`; at least one.

    Args:
        subject: what they are needed for, as the first words of a sentence.
        tasks: of the run.

    Raises:
        NotFoundError: the run has no predictions of them, or there are none; the sentence says which.
    """
    scores = {each.epoch: each for each in evaluations(database, run)}
    last_step = max((each.step for each in scores.values()), default=-1)
    found: dict[str, Evaluated] = {}
    for task in tasks:
        epochs = tuple(epochs_of(database, run, task))
        now = _partial(database, run, task, last_step, epochs) if run.state is State.RUNNING else None
        if epochs or now:
            values = tuple(scores[epoch].score(task) if epoch in scores else None for epoch in epochs)
            chosen = run.scores.selected_epoch
            selected = NOW if now else chosen if chosen is not None and chosen in epochs else epochs[-1]
            steps = tuple(scores[epoch].step if epoch in scores else None for epoch in epochs)
            found[task] = Evaluated(task, epochs, values, selected, run.state is State.FINISHED, now, steps)
    if not found:
        raise NotFoundError(_why_none(run, subject, tasks))
    return found


def _partial(database: Database, run: Run, task: str, last_step: int, epochs: tuple[int, ...]) -> Partial | None:
    """The newest partial predictions, if they are of more steps than the last whole evaluation."""
    name = f"{PARTIAL}/{task}"
    points = metrics.read(database, run.key, (name,), {name: last_step})[name]
    stored = stored_predictions.epochs(database, run.key, task, PARTIAL)
    if not points or not stored:
        return None
    size = stored_predictions.split_size(
        database, stored_predictions.fingerprint_of(database, run.key, task, stored[-1], PARTIAL)
    )
    if size is None:  # its examples are missing
        return None
    whole = stored_predictions.fingerprint_of(database, run.key, task, epochs[-1]) if epochs else None
    step, score = points[-1]
    return Partial(stored[-1], step, score, size, stored_predictions.split_size(database, whole))


def _why_none(run: Run, subject: str, tasks: Collection[str]) -> str:
    if not tasks:
        trained = ", ".join(task.title for task in run.tasks.values())
        return f"{subject} needs another task, but run {run.id} trained {trained} only."
    if run.state in WAITING:
        return f"Run {run.id} is {run.state}: predictions appear once it has been evaluated."
    if run.state in ENDED:
        return f"Run {run.id} left no predictions: it ended ({run.state}) before its first evaluation."
    return f"Run {run.id} has not been evaluated yet; its predictions appear here once it has."
