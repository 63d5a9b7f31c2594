"""Comparing runs: each with the first, on the same dev examples, with what differs in recipe and effort."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertmt.comparison.paired import PairedDifference, PairedPredictions, compare_overall, compare_task
from bertmt.comparison.seeds import SeedDifference, compare_seeds
from bertmt.comparison.verdicts import judge
from bertmt.drawing.numbers import named
from bertmt.errors import BusyError, UsageError
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.run_folder.predictions import Predictions, predicted_labels
from bertmt.services.labels import labels_of
from bertmt.services.rows import Row
from bertmt.services.settling import settle
from bertmt.services.sync import sync

TASKS = ("sst", "para", "sts")
UNSHOWN_SETTINGS = ("seed", "data", "extra_data_file", "keep_model")


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: one run, or several seeds of one recipe."""

    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        first = self.runs[0]
        return first.name if len(self.runs) > 1 else f"{first.name} ({first.id})"

    def scores(self, task: str) -> dict[int, float | None]:
        """Dev scores by seed; of several runs with one seed the newest counts."""
        return {run.seed: run.score(task) for run in self.runs}

    def mean(self, task: str) -> float | None:
        """Mean dev score over the seeds that have one."""
        known = [score for score in self.scores(task).values() if score is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True)
class Against:
    """One arm against the reference.

    Attributes:
        examples: run against run, paired by example; only where both arms are one run.
        seeds: arm against arm, paired by seed; only where one of them has several.
    """

    arm: Arm
    examples: tuple[PairedDifference, ...] = ()
    seeds: tuple[SeedDifference, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All of it; p values are corrected (Holm) over every arm and task that is shown.

    Attributes:
        recipe_differences: setting to its value per arm, the reference first.
        warnings: sentences about what makes the arms not comparable, or confounds them.
    """

    reference: Arm
    others: tuple[Against, ...]
    recipe_differences: Mapping[str, tuple[Any, ...]]
    warnings: tuple[str, ...]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All of them, the reference first."""
        return (self.reference, *(each.arm for each in self.others))


def compare(database: Database, groups: Sequence[Sequence[Run]]) -> Comparison:
    """Compare arms with the first of them.

    Args:
        groups: each the runs of one arm: one run, or one recipe's seeds.

    Raises:
        UsageError: fewer than two arms, or one mixes recipes.
        BusyError: a run has no scores yet.
    """
    if len(groups) < 2:
        raise UsageError("Name at least two runs to compare; `bertmt runs` lists them.")
    arms = [_arm(database, group) for group in groups]
    if len({run.key for arm in arms for run in arm.runs}) < sum(len(arm.runs) for arm in arms):
        raise UsageError("A run was named twice; name each once.")
    reference, *rest = arms
    warnings = _warnings(arms)
    others = []
    for arm in rest:
        if len(arm.runs) == len(reference.runs) == 1:
            results, said = _by_example(database, reference.runs[0], arm.runs[0])
            warnings += said
            others.append(Against(arm, examples=results))
        else:
            shared = [task for task in TASKS if reference.mean(task) is not None and arm.mean(task) is not None]
            by_seed = (compare_seeds(task, reference.scores(task), arm.scores(task)) for task in shared)
            others.append(Against(arm, seeds=tuple(by_seed)))
    return Comparison(reference, _judged(others), recipe_differences(arms), tuple(dict.fromkeys(warnings)))


def arms_of(rows: Iterable[Row], apart: bool = False) -> list[list[Run]]:
    """Runs as `compare` wants them: the seeds of a recipe on the same data together, the oldest arm first.

    The arm with the baseline of another goes before all. Where there would be one arm alone, each run is one.

    Args:
        apart: each run is an arm of its own.
    """
    known = sorted(rows, key=lambda row: row.run.key)
    arms: dict[Any, list[Run]] = {}
    for run in (row.run for row in known):
        arms.setdefault(run.key if apart else (_without_seed(run), run.fingerprints_json), []).append(run)
    if len(arms) == 1:
        arms = {row.run.key: [row.run] for row in known}
    compared_with = {row.baseline.key for row in known if row.baseline and row.baseline.key != row.run.key}
    return sorted(arms.values(), key=lambda arm: not any(run.key in compared_with for run in arm))


def _arm(database: Database, group: Sequence[Run]) -> Arm:
    runs = [settle(database, sync(database, run)) for run in group]
    for run in runs:
        if run.selected_epoch is None:
            raise BusyError(f"Run {run.id} ({run.name}) is {run.state} and has no scores yet; `bertmt wait {run.id}`.")
    # The seed alone may differ within an arm; several runs of one name can be several recipes.
    if len({_without_seed(run) for run in runs}) > 1:
        listed = named([run.id for run in runs])
        raise UsageError(
            f"{len(runs)} runs called {runs[0].name!r} have different recipes ({listed}): name ids instead."
        )
    return Arm(tuple(runs))


def _without_seed(run: Run) -> tuple[Any, ...]:
    return tuple(
        value if not isinstance(value, list) else tuple(value)
        for name, value in run.recipe.items()
        if name not in UNSHOWN_SETTINGS
    )


def _judged(others: Sequence[Against]) -> tuple[Against, ...]:
    """Fill in corrected p values and verdicts over the whole family."""
    # Paired and seed differences are judged as one family, so the static type of an item is lost here.
    family: Iterator[Any] = iter(judge([result for each in others for result in (*each.examples, *each.seeds)]))
    return tuple(
        dataclasses.replace(
            each, examples=tuple(next(family) for _ in each.examples), seeds=tuple(next(family) for _ in each.seeds)
        )
        for each in others
    )


def _by_example(database: Database, first: Run, second: Run) -> tuple[tuple[PairedDifference, ...], list[str]]:
    """All tasks that both runs have predictions for on the same examples."""
    pairs: dict[str, PairedPredictions] = {}
    said = []
    for task in TASKS:
        found = [_selected_predictions(database, run, task) for run in (first, second)]
        if found[0] is None or found[1] is None:
            continue
        if found[0].fingerprint != found[1].fingerprint:
            said.append(f"{task}: the two runs were evaluated on different dev examples and cannot be paired.")
            continue
        labels = labels_of(database, found[0].fingerprint)
        if labels is None or any(len(each.probabilities) != len(labels) for each in found if each is not None):
            said.append(f"{task}: the dev examples are not in the registry, so nothing can be paired.")
            continue
        predicted = [predicted_labels(task, each.probabilities) for each in found if each is not None]
        pairs[task] = PairedPredictions(task, labels, *predicted)
    results = [compare_task(pair) for pair in pairs.values()]
    overall = compare_overall(pairs)
    return (*results, *([overall] if overall else [])), said


def _selected_predictions(database: Database, run: Run, task: str) -> Predictions | None:
    return (
        stored_predictions.read(database, run.key, task, run.selected_epoch) if run.selected_epoch is not None else None
    )


def recipe_differences(arms: Sequence[Arm]) -> dict[str, tuple[Any, ...]]:
    """The settings that are not the same in all arms, with their value in each; seeds and places of data apart."""
    found = {}
    for name in SETTINGS:
        if name in UNSHOWN_SETTINGS:
            continue
        values = tuple(arm.runs[0].recipe.get(name) for arm in arms)
        if name == "lora.alpha" and all(_alpha_follows_rank(arm) for arm in arms):
            continue
        if any(value != values[0] for value in values):
            found[name] = values
    return found


def _alpha_follows_rank(arm: Arm) -> bool:
    """Whether the scale of LoRA is 1, or there is no LoRA: then alpha says nothing that the rank does not."""
    recipe = arm.runs[0].recipe
    return recipe["lora.alpha"] in (None, recipe["lora.rank"])


def _warnings(arms: Sequence[Arm]) -> list[str]:
    """What a reader must know before believing a difference between these arms."""
    said = []
    for arm in arms:
        for run in arm.runs:
            if run.state is not State.FINISHED:
                said.append(
                    f"{run.id} ({run.name}) is {run.state}: its scores are those of epoch {run.selected_epoch}."
                )
            if run.recipe.get("select") == "best":
                said.append(f"{run.id} ({run.name}) selected its epoch on the dev set, so its scores are optimistic.")
    scale = [name for name in recipe_differences(arms) if SETTINGS[name].role == "scale"]
    if scale:
        said.append(f"The arms differ in scale, not only in method: {', '.join(scale)}.")
    toggles = [name for name in recipe_differences(arms) if SETTINGS[name].role == "toggle"]
    if len(arms) == 2 and len(toggles) > 1:
        said.append(f"{len(toggles)} toggles differ at once: no difference can be put down to one of them.")
    efforts = {tuple(sorted(effort(run).items())) for arm in arms for run in arm.runs}
    if len(efforts) > 1:
        said.append("The arms differ in training: see steps, examples and passes.")
    if all(len(arm.runs) == 1 for arm in arms):
        said.append("One run each: what is said holds for these trained models, not yet for the method; add seeds.")
    return said


def effort(run: Run) -> dict[str, Any]:
    """Optimizer steps, and training examples and passes per task, as the child counted them."""
    finished = run.finished
    counted: dict[str, Any] = {"steps": run.steps_done}
    for kind in ("examples", "passes"):
        for task, amount in (finished.get(kind) or {}).items():
            counted[f"{kind} {task}"] = amount
    return counted
