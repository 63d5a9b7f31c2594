"""Looking at a recipe's data before anything is queued."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bertmt.errors import UsageError
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.step_plan import batch_count, plan_steps
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.loading import read_extra_pairs, read_split

TOY = "toy"


@dataclass(frozen=True)
class CheckedData:
    """What a recipe's data is.

    Attributes:
        data, extra_data_file: absolute, or "toy"; the latter empty where it is not used.
        fingerprints: "<task>-<split>" to fingerprint, for what the run trains; extra pairs are "para-extra".
        sizes: the same keys to numbers of examples.
        warnings: rows that were skipped, sentences.
    """

    data: str
    extra_data_file: str
    fingerprints: Mapping[str, str]
    sizes: Mapping[str, int]
    warnings: tuple[str, ...]


def check_data(recipe: Recipe) -> CheckedData:
    """Read and fingerprint every split that the recipe trains on or is evaluated on.

    Raises:
        UsageError: no data is named; the sentence names the choices.
        DataError: it cannot be used.
    """
    if not recipe.data:
        raise UsageError(
            "No data is named: use --data toy (embedded), --data DIR (a folder in the CS224N format), "
            "or `bertmt init --data DIR` to make it the default."
        )
    data = _absolute(recipe.data)
    extra = _extra_file(recipe) if recipe.extra_data else ""
    splits = {f"{task}-{name}": _read(data, task, name) for task in recipe.tasks for name in ("train", "dev")}
    if extra:
        splits["para-extra"] = _read_extra(extra, recipe.extra_data_limit)
    return CheckedData(
        data,
        extra,
        {name: mark for name, (_, mark) in splits.items()},
        {name: len(split.examples) for name, (split, _) in splits.items()},
        tuple(warning for split, _ in splits.values() for warning in split.warnings),
    )


def _extra_file(recipe: Recipe) -> str:
    if recipe.data == TOY and not recipe.extra_data_file:
        return TOY
    if not recipe.extra_data_file:
        raise UsageError(
            "extra_data is on, but no file of extra pairs is named: use --extra-data FILE (.jsonl or .jsonl.gz), "
            "or --set extra_data=false."
        )
    return _absolute(recipe.extra_data_file)


def _absolute(place: str) -> str:
    return place if place == TOY else str(Path(place).expanduser().absolute())


# One command may queue thousands of runs on the same files.
@cache
def _read(data: str, task: str, name: str) -> tuple[Split, str]:
    split = read_split(data, task, name)
    return split, fingerprint(split.examples)


@cache
def _read_extra(file: str, limit: int) -> tuple[Split, str]:
    split = read_extra_pairs(file, limit)
    return split, fingerprint(split.examples)


def epoch_sentence(recipe: Recipe, sizes: Mapping[str, int]) -> str:
    """How long an epoch is in steps, and how often it uses each task's data (decision 6)."""
    batches = batches_per_pass(recipe, sizes)
    steps = plan_steps(recipe, batches)
    passes = ", ".join(f"{task} {value:.2f}" for task, value in steps.passes_per_epoch(batches).items())
    return (
        f"One epoch is {steps.steps_per_epoch:,} steps of {recipe.batch_size} examples per task; "
        f"passes over the data: {passes}."
    )


def batches_per_pass(recipe: Recipe, sizes: Mapping[str, int]) -> dict[str, int]:
    """The batches of one pass over each task's training split, extra pairs included.

    Args:
        sizes: as in `CheckedData`.
    """
    examples = {task: sizes[f"{task}-train"] for task in recipe.tasks}
    if recipe.extra_data:
        examples["para"] += sizes["para-extra"]
    return {task: batch_count(recipe, count) for task, count in examples.items()}


def pretraining_pairs(recipe: Recipe) -> dict[str, int]:
    """How many STS pairs each pretraining phase has to train on; the recipe's data must be checked.

    Of MNR's pairs a child may leave out some: no sentence comes twice in a batch.
    """
    if not (recipe.mnr or recipe.cosine_embedding):
        return {}
    split, _ = _read(_absolute(recipe.data), "sts", "train")
    labels = [example.label for example in split.examples if example.label is not None]
    found = {}
    if recipe.mnr:
        found["mnr"] = sum(label >= recipe.mnr_threshold for label in labels)
    if recipe.cosine_embedding:
        near, far = recipe.cosine_positive, recipe.cosine_negative
        found["cosine_embedding"] = sum(label >= near or label < far for label in labels)
    return found
