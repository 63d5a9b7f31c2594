"""What a model card tells of a run: its scores and how sure they are, its data, and where its encoder is from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from bertmt import paths
from bertmt.comparison.single_scores import interval_of_score, method_of
from bertmt.encoders.find import fetched_folder
from bertmt.errors import BertmtError
from bertmt.recipe.encoders import hub_name, seen_in_training
from bertmt.recipe.loading import to_toml
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.comparability import looks_at_dev
from bertmt.services.analysis.labels import labels_of
from bertmt.services.analysis.run_predictions import predictions_of
from bertmt.services.browse.detail_formatting import format_code
from bertmt.services.browse.details import Details
from bertmt.tasks.loading import TOY
from bertmt.tasks.scores import predicted_labels
from bertmt.tasks.task import METRICS, Task


@dataclass(frozen=True)
class Score:
    """One metric of a task on its dev examples.

    Attributes:
        interval: 95 %, of the metric that the task is judged by, where predictions and labels are stored.
        examples: how many it is of; None where that is not known.
    """

    task: Task
    metric: str
    value: float | None
    interval: tuple[float, float] | None = None
    method: str = ""
    examples: int | None = None

    @property
    def title(self) -> str:
        """What people call the metric."""
        return METRICS[self.metric].title


def is_toy(run: Run) -> bool:
    """Whether it was trained on embedded data, which only look like those of its tasks."""
    return run.submission.data == TOY


def source_of(run: Run, task: Task) -> str:
    """Where the examples of a task are from, in words; "" where that is not known."""
    return "sentences that this program makes up" if is_toy(run) and task.grammar else task.data_set


def scores_of(database: Database, details: Details) -> list[Score]:
    """All metrics of the selected epoch, by task; what each task is judged by has an interval."""
    run = details.run
    measured = next((each for each in details.evaluations if each.epoch == run.scores.selected_epoch), None)
    found = []
    for name, task in run.tasks.items():
        metrics = measured.metrics.get(name, {}) if measured else {}
        first = task.metrics[0]
        interval, examples = _interval(database, run, task)
        method = method_of(task) if interval else ""
        found.append(Score(task, first, run.score(name), interval, method, examples))
        found += [Score(task, each, metrics.get(each), examples=examples) for each in task.metrics[1:]]
    return found


def _interval(database: Database, run: Run, task: Task) -> tuple[tuple[float, float] | None, int | None]:
    try:
        predictions = predictions_of(database, run, task.name)
    except BertmtError:  # pruned, or of a run that came without them
        return None, None
    labels = labels_of(database, predictions.fingerprint)
    if labels is None or len(labels) != len(predictions.probabilities):
        return None, len(predictions.probabilities)
    return interval_of_score(task, predicted_labels(task, predictions.probabilities), labels), len(labels)


def data_of(run: Run) -> list[tuple[str, int | None, str]]:
    """Of each split that the run read its name, its number of examples where that is known, and its fingerprint."""
    started = run.progress.started
    sizes: Mapping[str, int] = started.split_sizes if started else {}
    marks = run.submission.fingerprints
    return [(name, sizes.get(name), marks.get(name, "")) for name in dict.fromkeys((*marks, *sizes))]


def seen_before(run: Run) -> list[str]:
    """What the encoder is known to have learned from of the run's own data before; sentences without an end."""
    seen = seen_in_training(str(run.recipe.get("encoder")), run.submission.encoder_fingerprints)
    about = [task for task in run.tasks.values() if task.data_set in seen and not is_toy(run)]
    return [f"{seen[task.data_set]}, the source of {task.title}" for task in about]


def about_seen(run: Run) -> str:
    """The same in a sentence, whatever is known."""
    before = seen_before(run)
    if before:
        listed = "; ".join(before)
        return (
            f"Before this training the encoder had already learned from {listed}: those scores are no fair test of it."
        )
    return (
        "Nothing is known here of what the encoder had learned from before this training: its own card may say whether "
        "the data above were among it."
    )


def environment_of(details: Details) -> list[str]:
    """The code, Python, packages, device and precision of a run, as far as they are known."""
    run, environment = details.run, details.snapshot.environment
    packages = environment.get("packages") or {}
    started = run.progress.started
    found = [
        format_code(details)[0],
        f"Python {environment['python']}, {environment.get('platform', '')}" if "python" in environment else "",
        ", ".join(f"{name} {version}" for name, version in packages.items()),
        f"trained on {run.execution.device}" if run.execution.device else "",
        f"encoder in {started.precision}" if started and started.precision else "",
    ]
    return [each for each in found if each]


def recipe_toml(details: Details) -> str | None:
    """The recipe for others to read: the encoder under its hub's name, nothing of where files lie here; None where
    another version of bertmt wrote it."""
    recipe = details.recipe
    if recipe is None:
        return None
    named = base_model(details.run)
    shown = {
        name: tuple(map(without_place, value)) if isinstance(value, tuple) else without_place(value)
        for name, value in recipe.flat().items()
        if not (name == "encoder" and named)
    }
    return to_toml(recipe.with_values(shown), comments=False)


def limits_of(details: Details) -> list[str]:
    """What a reader of the scores must know; sentences."""
    run, started = details.run, details.run.progress.started
    said = [f"One training run with one seed, {run.seed}: another seed gives other scores."]
    if is_toy(run):
        said.append("It was trained to try out a program, on sentences that are made up: it is good for nothing else.")
    if looks_at_dev(run):
        said.append("The dev scores chose which epoch was kept, or when training stopped, so they are optimistic.")
    said += details.remarks
    longest = run.recipe.get("max_length")
    said.append(f"Of each text the first {longest} tokens are read, special ones included; the rest changes nothing.")
    if started and started.precision == "bf16":
        said.append("The dev scores were computed in bf16; this folder computes in fp32, so single ones may differ.")
    return said


def base_model(run: Run) -> str | None:
    """What the hub calls the encoder that the run began with; None where it came from a folder."""
    name = str(run.recipe.get("encoder"))
    known = hub_name(name, run.submission.encoder_fingerprints)
    if known is not None:
        return known or None
    fetched = fetched_folder(name)
    is_folder = not (fetched and fetched.is_dir()) and paths.expanded(name).is_dir()
    return name if fetched and not is_folder else None


def without_place(value: object) -> object:
    """A setting that names a file or a folder, without where that lies: a card is for others to read."""
    return PurePath(value).name if isinstance(value, str) and ("/" in value or "\\" in value) else value
