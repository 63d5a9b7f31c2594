"""Looking at a recipe's data before anything is queued."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bertmt import paths
from bertmt.drawing.numbers import counted, named
from bertmt.errors import DataError, Problems, UsageError
from bertmt.recipe.pretraining import MLM, MNR, epochs_of, label_of, phases
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.step_plan import batch_count, capped, plan_steps
from bertmt.services.plan.overlaps import Overlap, TextKeys, count_overlap, text_keys
from bertmt.tasks.cs224n import find_file, missing_files
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.loading import TOY, read_extra_pairs, read_split
from bertmt.tasks.readers.source import source_file
from bertmt.tasks.task import Task

LOOKED_AT = ("train", "dev")
MOST_KEPT = 64  # of the splits that were looked at: some nine places of data
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class CheckedData:
    """What a recipe's data is.

    Attributes:
        data, extra_data_file: absolute, or "toy"; empty where it is not used.
        fingerprints: "<task>-<split>" to fingerprint, for what the run trains; extra pairs are "<task>-extra".
        sizes: the same keys to numbers of examples.
        warnings: rows that were skipped, sentences.
        overlaps: by task, dev examples that stand elsewhere too.
    """

    data: str
    extra_data_file: str
    fingerprints: Mapping[str, str]
    sizes: Mapping[str, int]
    warnings: tuple[str, ...]
    overlaps: Mapping[str, Overlap]


@dataclass(frozen=True)
class _Checked:
    """What is kept of a split: not its examples, which may be hundreds of thousands.

    Attributes:
        labels: how many examples have which label.
        texts: by which equal texts are found.
    """

    fingerprint: str
    size: int
    warnings: tuple[str, ...]
    labels: Mapping[float, int]
    texts: TextKeys


def check_data(recipe: Recipe) -> CheckedData:
    """Read and fingerprint every split that the recipe trains on or is evaluated on.

    Raises:
        UsageError: no data is named; the sentence names the choices.
        DataError: it cannot be used.
        RecipeError: both of them, of data and extra pairs.
    """
    problems = Problems()
    own = [task for task in recipe.trained().values() if task.source]
    data = problems.attempt(_data, recipe) or "" if len(own) < len(recipe.tasks) else ""
    extra = problems.attempt(_extra_file, recipe) or ""
    parts = [(task, name) for task in own for name in LOOKED_AT]
    if data:
        parts += _readable(data, [task for task in recipe.trained().values() if not task.source], problems)
    found = {f"{task.name}-{name}": problems.attempt(_read, data, task, name) for task, name in parts}
    for task in extra_tasks(recipe) if extra else ():
        found[f"{task.name}-extra"] = problems.attempt(_read_extra, extra, task, recipe.extra_data_limit)
    problems.raise_all()
    splits = {name: split for name, split in found.items() if split}
    marks = {name: split.fingerprint for name, split in splits.items()}
    return CheckedData(
        data,
        extra,
        marks,
        {name: split.size for name, split in splits.items()},
        tuple(warning for split in splits.values() for warning in split.warnings),
        {task: _overlap(splits, task, recipe.evaluate_examples) for task in recipe.tasks},
    )


def _readable(data: str, tasks: Iterable[Task], problems: Problems) -> list[tuple[Task, str]]:
    """The splits, (task, name), whose files are there; one problem for all that are not."""
    parts = [(task, name) for task in tasks for name in LOOKED_AT]
    if data == TOY:
        return parts
    missing = problems.attempt(missing_files, Path(data), parts)
    if missing is None:
        return []
    if missing:
        remedy = "name a folder in the CS224N format with `bertmt init --data DIR`"
        problems.add(DataError(f"{data} lacks {named(list(missing.values()))}: {remedy}."))
    return [(task, name) for task, name in parts if (task.name, name) not in missing]


def _data(recipe: Recipe) -> str:
    if not recipe.data:
        raise UsageError(
            "No data is named: use --data toy (embedded), --data DIR (a folder in the CS224N format), "
            "or `bertmt init --data DIR` to make it the default."
        )
    return _absolute(recipe.data)


def extra_tasks(recipe: Recipe) -> list[Task]:
    """The tasks whose training split holds the extra pairs too."""
    return [task for task in recipe.trained().values() if task.extra_pairs and recipe.extra_data]


def _extra_file(recipe: Recipe) -> str:
    """The file of extra pairs; empty where none are used."""
    if not recipe.extra_data:
        return ""
    if recipe.data == TOY and not recipe.extra_data_file:
        return TOY
    if not recipe.extra_data_file:
        raise UsageError(
            "extra_data is on, but no file of extra pairs is named: use --extra-data FILE (.jsonl or .jsonl.gz), "
            "or --set extra_data=false."
        )
    return _absolute(recipe.extra_data_file)


def _absolute(place: str) -> str:
    if place == TOY:
        return TOY
    return str(paths.expanded(place).absolute())


def _read(data: str, task: Task, name: str) -> _Checked:
    if task.source:
        return _kept_split("", task, name, _stamp(source_file(task, name)))
    return _kept_split(data, task, name, None if data == TOY else _stamp(find_file(Path(data), task, name)))


def _read_extra(file: str, task: Task, limit: int) -> _Checked:
    return _kept_extra(file, task, limit, None if file == TOY else _stamp(Path(file)))


def _stamp(file: Path) -> Stamp:
    """What changes when a file is written or replaced; None where it is missing, which its reader says."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# One command may queue thousands of runs on the same files, and a dashboard lives while they change.
@lru_cache(MOST_KEPT)
def _kept_split(data: str, task: Task, name: str, stamp: Stamp) -> _Checked:
    return _checked(read_split(data, task, name))


@lru_cache(MOST_KEPT)
def _kept_extra(file: str, task: Task, limit: int, stamp: Stamp) -> _Checked:
    return _checked(read_extra_pairs(file, task, limit))


def _checked(split: Split) -> _Checked:
    labels = Counter(example.label for example in split.examples if example.label is not None)
    texts = text_keys(split.examples)
    return _Checked(fingerprint(split.examples), len(split.examples), split.warnings, labels, texts)


def _overlap(splits: Mapping[str, _Checked], task: str, cut: int) -> Overlap:
    """What of a task's dev examples stands elsewhere too; counted once for all runs of a command on the same data."""
    dev, training = splits[f"{task}-dev"], [splits[f"{task}-train"]]
    training += [splits[f"{task}-extra"]] if f"{task}-extra" in splits else []
    key: tuple[str | int, ...] = (dev.fingerprint, *(split.fingerprint for split in training), cut)
    if key not in _OVERLAPS:
        _OVERLAPS[key] = count_overlap(dev.texts, [split.texts for split in training], cut)
    return _OVERLAPS[key]


_OVERLAPS: dict[tuple[str | int, ...], Overlap] = {}


def epoch_sentence(recipe: Recipe, sizes: Mapping[str, int]) -> str:
    """How long an epoch is in steps, and how often it uses each task's data (decision 6)."""
    batches = batches_per_pass(recipe, sizes)
    steps = plan_steps(recipe, batches)
    passes = ", ".join(f"{task} {value:.2f}" for task, value in steps.passes_per_epoch(batches).items())
    return (
        f"One epoch is {counted(steps.steps_per_epoch, 'step')} of {counted(recipe.batch_size, 'example')} per task; "
        f"passes over the data: {passes}."
    )


def batches_per_pass(recipe: Recipe, sizes: Mapping[str, int]) -> dict[str, int]:
    """The batches of one pass over each task's training split, extra pairs included.

    Args:
        sizes: as in `CheckedData`.
    """
    examples = {task: sizes[f"{task}-train"] for task in recipe.tasks}
    for task in extra_tasks(recipe):
        examples[task.name] += sizes[f"{task.name}-extra"]
    return {task: batch_count(recipe, count) for task, count in examples.items()}


def pretraining_steps(recipe: Recipe, sizes: Mapping[str, int]) -> int:
    """The steps of pretraining, at most: a child leaves out sentences that it has met before.

    Args:
        sizes: as in `CheckedData`; the recipe's data must be checked.
    """
    found, pairs = 0, pretraining_pairs(recipe)
    training = {name: sizes[f"{name}-train"] + sizes.get(f"{name}-extra", 0) for name in recipe.tasks}
    for phase in phases(recipe):
        sentences = sum(training[name] * (2 if recipe.task(name).pair else 1) for name in phase.reads)
        count = pairs.get(phase.name, sentences)
        found += epochs_of(recipe, phase) * capped(recipe, batch_count(recipe, count))
    return found


def pretraining_pairs(recipe: Recipe) -> dict[str, int]:
    """How many pairs each pretraining phase on pairs has to train on; the recipe's data must be checked.

    Of MNR's pairs a child may leave out some: no sentence comes twice in a batch.
    """
    found = {}
    for phase in phases(recipe):
        if phase.loss == MLM:
            continue
        about = recipe.task(phase.task)
        labels = _read(_absolute(recipe.data), about, "train").labels
        if phase.loss == MNR:
            least = label_of(recipe.mnr_threshold, about)
            found[phase.name] = sum(count for label, count in labels.items() if label >= least)
        else:
            near, far = (label_of(each, about) for each in (recipe.cosine_positive, recipe.cosine_negative))
            found[phase.name] = sum(count for label, count in labels.items() if label >= near or label < far)
    return found
