"""A run in words: its progress, what it is at, its scale; the same in every front end."""

from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bertmt.drawing import numbers
from bertmt.drawing.looks import free_place, place_of_run
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from bertmt.registry.records import Queueing, Run
    from bertmt.services.plan.submit import Request

MOST_SLOTS = 8  # named in a table
SILENT_AFTER_SECONDS = 120.0  # a step of a large encoder on a CPU takes seconds, an evaluation a minute or two


def progress(run: "Run") -> str:
    """How much of the run is done, as a percentage, of one that waits what is kept; never 100 % before it is."""
    done = kept_share(run) if run.state in ("queued", "held") else run.share_done
    if done is None:
        return numbers.MISSING
    share = done if run.state == "finished" else min(done, 0.99)
    return f"{int(100 * share)} %"


def begins_anew(run: "Run") -> bool:
    """Whether a run waits to start from the beginning: then what a former attempt reached is no result."""
    return run.state in ("queued", "held") and run.progress.checkpoint_step is None


def kept_share(run: "Run") -> float | None:
    """How much of a run its newest checkpoint keeps; None where there is none, or nobody knows of how much."""
    step, total = run.progress.checkpoint_step, run.progress.steps_total
    return None if step is None or not total else step / total


def seconds_left(run: "Run") -> float | None:
    """How long a run will still take as its child told last, the same wherever a front end says it; None where nobody
    knows: it does not run, or is about to stop."""
    if run.state == "finished":
        return 0.0
    return run.progress.seconds_left if run.state == "running" and asked(run) is None and not pending(run) else None


def speed_text(steps_per_second: float | None) -> str:
    """ "3.2 steps/s", or of slow ones "12 s/step"; "" where it is not known."""
    if steps_per_second is None:
        return ""
    if steps_per_second >= 1:
        return f"{_short(steps_per_second)} steps/s"
    return f"{_short(1 / steps_per_second)} s/step"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def pending(run: "Run") -> str:
    """What a running run's job waits for, in its scheduler's own word; "" where it has its node, or is no job."""
    job = run.execution.job if run.state == "running" else None
    if job is None or job.phase in ("running", "ended"):
        return ""
    return safe_text(f"pending: {job.reason}" if job.reason else "pending")


def job_line(run: "Run") -> str:
    """The job of a run's last attempt; "" where that was a process of this machine."""
    job = run.execution.job
    if job is None:
        return ""
    named = f"{job.launcher} job {job.handle}" if job.handle else f"{job.launcher} job, without a number yet"
    where = f" on {job.node}" if job.node else ""
    limit = f", time limit {job.time_limit}" if job.time_limit else ""
    stands = f", {job.phase}" if job.phase and run.state == "running" else ""
    return safe_text(f"{named}{where}{stands}{f' ({job.reason})' if job.reason else ''}{limit}")


def slot_words(slots: "Sequence[str]") -> str:
    """The slots of a worker; of many the first and the last."""
    shown = slots if len(slots) <= MOST_SLOTS else (slots[0], "…", slots[-1])
    return safe_text(" ".join(shown))


def place_of_work(run: "Run") -> str:
    """The device of a run, of a job its node."""
    job = run.execution.job
    return safe_text((job.node if job is not None and job.node else run.execution.device) or "")


def doing(run: "Run", steps_per_second: float | None = None) -> str:
    """What a running run is at."""
    told = run.progress
    if pending(run):
        return pending(run)
    if told.steps_done is None:
        return "starting" if told.last_event_at is None else "evaluating before the first step"
    apart = ", each task on its own" if told.phase == "single" else ""
    is_training = told.phase in ("train", "single")
    phase = f"epoch {told.epoch} of {told.epochs_total}{apart}" if is_training else f"pretraining with {told.phase}"
    parts = [safe_text(phase), f"step {numbers.count(told.steps_done)} of {numbers.count(told.steps_total)}"]
    left = seconds_left(run)
    if left is not None:
        parts.append(f"{numbers.duration(left)} left")
    if steps_per_second is not None:
        parts.append(speed_text(steps_per_second))
    silence = seconds_since(told.last_event_at)
    if silence is not None and silence > SILENT_AFTER_SECONDS:
        parts.append(f"silent since {numbers.duration(silence)}")
    return ", ".join(parts)


def conditions(run: "Run") -> str:
    """What a waiting run waits for besides a free slot; "" where it is nothing."""
    parts = asked_conditions(run.queueing)
    if run.progress.checkpoint_step is not None:
        parts.append(f"resumes from step {numbers.count(run.progress.checkpoint_step)}")
    return ", ".join(parts)


def asked_conditions(asked_for: "Queueing | Request") -> list[str]:
    """When and where a run is to be started, as a person asked for it."""
    after = [f"after {awaited.id}{' has finished' if awaited.needs_success else ''}" for awaited in asked_for.awaits]
    parts = [numbers.named(after)] if after else []
    if asked_for.not_before_at and (seconds_since(asked_for.not_before_at) or 0) < 0:
        parts.append(f"not before {local_time(asked_for.not_before_at)[:16]}")
    if asked_for.wants:
        parts.append(f"only on a {asked_for.wants.upper()}")
    if asked_for.priority:
        parts.append(f"priority {asked_for.priority}")
    return parts


def asked(run: "Run") -> str | None:
    """What a running run was asked for and has not done yet: "stopping", "pausing"; None: nothing."""
    request = run.execution.request if run.state == "running" else None
    return {"cancel": "stopping", "pause": "pausing"}.get(request or "")


def seconds_since(at: str | None) -> float | None:
    """Seconds since a stored time, or None."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds() if at else None
    except (TypeError, ValueError):
        return None


def local_time(at: str | None) -> str:
    """A stored time as the reader's clock shows it, to the second."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else numbers.MISSING
    except ValueError:
        return safe_text(at or "")


def scale_line(run: "Run") -> str:
    """Encoder, data and budget in one line: what a score depends on besides the method (decision 25)."""
    recipe = run.recipe
    steps = f", at most {numbers.counted(recipe['epoch_steps'], 'step')} each" if recipe.get("epoch_steps") else ""
    rate, head_rate = recipe.get("learning_rate"), recipe.get("head_learning_rate")
    rates = f"learning rate {rate:g}" if rate is not None else "the encoder's learning rate"
    if head_rate is not None and head_rate != rate:
        rates += f" (heads {head_rate:g})"
    extra = ""
    if recipe.get("extra_data"):
        extra = f" + {numbers.counted(recipe['extra_data_limit'], 'extra pair')} at most"
    cut = recipe.get("evaluate_examples")
    dev = f", {numbers.counted(cut, 'dev example')} at most" if cut else ""
    epochs = numbers.counted(recipe.get("epochs", 0), "epoch")
    return safe_text(
        f"{recipe.get('encoder')}; data {run.submission.data or 'of its own tasks'}{extra}{dev}; {epochs}{steps}; "
        f"batch {recipe.get('batch_size')}; {rates}"
    )


def scale_mark(run: "Run") -> str:
    """Data and encoder in a word each, of a path its last part: "toy · tiny"."""
    return mark_of(*_places(run))


def common_scale(runs: "Iterable[Run]") -> str:
    """The mark that all of these runs have; "" where they differ, or there is none."""
    marks = {mark_of(*each) for each in {_places(run) for run in runs}}
    return marks.pop() if len(marks) == 1 else ""


def _places(run: "Run") -> tuple[str, str]:
    # The shared recipe, for lists of thousands of runs.
    return run.submission.data, str(run.submission.shared_recipe.get("encoder"))


def mark_of(data: str, encoder: str) -> str:
    """The mark of a run on these."""
    parts = (PurePath(data).name or data, PurePath(encoder).name or encoder)  # of own tasks alone there is no such data
    return safe_text(" · ".join(part for part in parts if part))


def value_text(value: Any) -> str:
    """A setting's value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(str(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def similarity(rho: float | None) -> float | None:
    """S = (1 + ρ)/2, section 5.2 of the paper."""
    return None if rho is None else (1 + rho) / 2


def run_places(runs: "Iterable[Run]", references: "Container[int]") -> dict[int, int]:
    """The places of the looks of runs, by their keys: each its own, in every chart and list, today and tomorrow.

    Where two of them have the same one, the younger gets its colour with another mark.

    Args:
        references: `Baselines.references`.
    """
    places: dict[int, int] = {}
    for run in sorted(runs, key=lambda run: run.key):
        places[run.key] = free_place(run_place(run, references), places.values())
    return places


def run_place(run: "Run", references: "Container[int]") -> int:
    """The place of a run's look.

    Args:
        references: `Baselines.references`.
    """
    return 0 if run.key in references else place_of_run(run.key)
