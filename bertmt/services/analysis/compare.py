"""Comparing runs: each with the first, on the same dev examples, with what differs in recipe and effort."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertmt.comparison.bootstrap import resamples_for
from bertmt.comparison.noise import NoiseFloor
from bertmt.comparison.paired import PairedDifference, PairedPredictions, compare_examples
from bertmt.comparison.seeds import SeedDifference
from bertmt.comparison.verdicts import judge
from bertmt.errors import UsageError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.run_folder.predictions import Predictions
from bertmt.services.analysis.arms import (
    Arm,
    about_averages,
    arm_of,
    recipe_differences,
    split_beside_averages,
    tasks_of_arms,
)
from bertmt.services.analysis.comparability import (
    about_code,
    about_dev_data,
    left_out,
    left_out_sentences,
    warnings,
    why_other_overall,
)
from bertmt.services.analysis.groups.by_seed import differences_by_seed
from bertmt.services.analysis.groups.noise import noise_floors
from bertmt.services.analysis.labels import labels_of
from bertmt.services.browse.run_list import RunList
from bertmt.tasks.scores import predicted_labels
from bertmt.tasks.task import Tasks


@dataclass(frozen=True)
class Side:
    """An arm as far as it is compared.

    Attributes:
        seeds: those whose scores are compared.
        scores: means over these seeds by task of the arm and for "overall"; None: undefined, or not comparable.
    """

    arm: Arm
    seeds: tuple[int, ...]
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class Against:
    """One arm against the reference.

    Attributes:
        reference: the reference as far as this arm is compared with it.
        examples: run against run, paired by example; only where both arms are one run.
        seeds: arm against arm, paired by seed; only where one of them has several.
    """

    side: Side
    reference: Side
    examples: tuple[PairedDifference, ...] = ()
    seeds: tuple[SeedDifference, ...] = ()

    @property
    def arm(self) -> Arm:
        """The one that is compared with the reference."""
        return self.side.arm


@dataclass(frozen=True)
class Comparison:
    """All of it; p values are corrected (Holm) over every arm and task that is shown.

    Attributes:
        sides: every arm with the means of what is compared, the reference first; where the others are compared with
            different seeds of it, its means are over all of them.
        recipe_differences: setting to its value per arm, the reference first.
        warnings: sentences about what makes the arms not comparable, or confounds them.
        noise: what two seeds of one recipe differ by at the reference's scale, by task and for "overall"; only what
            the registry has seeds to know it from.
    """

    sides: tuple[Side, ...]
    others: tuple[Against, ...]
    recipe_differences: Mapping[str, tuple[Any, ...]]
    warnings: tuple[str, ...]
    noise: Mapping[str, NoiseFloor]

    @property
    def floors(self) -> Mapping[str, float]:
        """The noise as numbers: how far apart two seeds of one recipe are."""
        return {name: floor.difference for name, floor in self.noise.items()}

    @property
    def reference(self) -> Arm:
        """The arm that the others are compared with."""
        return self.sides[0].arm

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All of them, the reference first."""
        return tuple(side.arm for side in self.sides)

    @property
    def tasks(self) -> Tasks:
        """What any of them trains."""
        return tasks_of_arms(self.arms)


def compare(database: Database, groups: Sequence[Sequence[Run]], with_noise: bool = True) -> Comparison:
    """Compare arms with the first of them, in the tasks that were evaluated on the same dev examples.

    Args:
        groups: each the runs of one arm: one run, or one recipe's seeds.
        with_noise: read all runs for what seeds alone do.

    Raises:
        UsageError: fewer than two arms, one mixes recipes, or none has a task with the dev examples of the first.
        BusyError: a run has no scores yet.
    """
    if len(groups) < 2:
        raise UsageError("Name at least two runs to compare; `bertmt runs` lists them.")
    arms = split_beside_averages([arm_of(database, group) for group in groups])
    if len({run.key for arm in arms for run in arm.runs}) < sum(len(arm.runs) for arm in arms):
        raise UsageError("A run is named twice.")
    reasons, all_tasks = left_out(database, arms), tasks_of_arms(arms)
    said = left_out_sentences(reasons, all_tasks)
    resamples = resamples_for((len(arms) - 1) * (len(all_tasks) + (len(all_tasks) > 1)))
    others = []
    for arm, of_arm in zip(arms[1:], reasons[1:], strict=True):
        against, unpaired = _against(database, (arms[0], arm), (reasons[0], of_arm), resamples)
        others.append(against)
        said += unpaired
    results: list[Any] = [result for each in others for result in (*each.examples, *each.seeds)]
    if any(reasons) and not results:
        raise UsageError(
            f"Nothing can be compared. {' '.join(said)} Compare runs evaluated on the same dev examples; see `scale` "
            "in `bertmt show RUN`."
        )
    tasks = {result.task for result in results}
    said += [
        *about_averages(arms),
        *warnings(arms),
        *about_code(database, arms),
        *about_dev_data(database, arms, tasks),
    ]
    sides = (_reference_side(arms[0], others, reasons[0]), *(each.side for each in others))
    noisy = [*(task for task in arms[0].tasks if task in tasks), "overall"] if with_noise else []
    noise = noise_floors(_all_runs(database), arms[0].runs[0], noisy) if noisy else {}
    return Comparison(sides, _judged(others), recipe_differences(arms), tuple(dict.fromkeys(said)), noise)


def _all_runs(database: Database) -> RunList:
    runs = RunList(database)
    runs.refresh()
    return runs


def whole_side(arm: Arm, hidden: Collection[str] = ()) -> Side:
    """An arm with the means over all its seeds.

    Args:
        hidden: tasks whose scores cannot be averaged.
    """
    return _side(arm, {}, hidden)


def _against(
    database: Database, arms: tuple[Arm, Arm], hidden: tuple[Collection[str], Collection[str]], resamples: int
) -> tuple[Against, list[str]]:
    """Compare the second arm with the first, and say which tasks could not be paired.

    Args:
        hidden: of each arm, the tasks whose scores are not comparable.
        resamples: as many as the whole family needs.
    """
    reference, arm = arms
    tasks = [task for task in reference.tasks if task in arm.tasks and task not in hidden[0] and task not in hidden[1]]
    other = why_other_overall(reference, arm)
    about_overall = [other] if other else []
    if len(arm.runs) == len(reference.runs) == 1:
        results, said = _by_example(database, reference.runs[0], arm.runs[0], tasks, resamples)
        side, of_reference = _side(arm, {}, hidden[1], bool(other)), whole_side(reference, hidden[0])
        return Against(side, of_reference, examples=results), said + about_overall
    scored = [task for task in tasks if reference.mean(task) is not None and arm.mean(task) is not None]
    by_seed = differences_by_seed(database, reference, arm, scored, resamples)
    of_tasks = [each for each in by_seed if each.task in scored]
    side = _side(arm, {each.task: each.seeds_b for each in of_tasks}, hidden[1], bool(other))
    of_reference = _side(reference, {each.task: each.seeds_a for each in of_tasks}, hidden[0])
    return Against(side, of_reference, seeds=by_seed), about_overall


def _side(
    arm: Arm, compared: Mapping[str, tuple[int, ...]], hidden: Collection[str], without_overall: bool = False
) -> Side:
    """An arm with its means over what is compared of it.

    Args:
        compared: task to the seeds that are compared in it.
        hidden: tasks whose scores are not comparable.
        without_overall: its overall score is not of the reference's tasks.
    """
    used = tuple(sorted(set().union(*compared.values()))) if compared else arm.seeds
    scores = {task: None if task in hidden else arm.mean(task, compared.get(task, used)) for task in arm.tasks}
    in_all = set(used).intersection(*compared.values())
    return Side(arm, used, {**scores, "overall": None if hidden or without_overall else arm.mean("overall", in_all)})


def _reference_side(reference: Arm, others: Sequence[Against], hidden: Collection[str]) -> Side:
    """The reference as all others are compared with it; where they differ in that, with all its seeds."""
    sides = [each.reference for each in others if each.examples or each.seeds]
    if sides and all((side.seeds, side.scores) == (sides[0].seeds, sides[0].scores) for side in sides):
        return sides[0]
    return whole_side(reference, hidden)


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


def _by_example(
    database: Database, first: Run, second: Run, tasks: Sequence[str], resamples: int
) -> tuple[tuple[PairedDifference, ...], list[str]]:
    """The tasks whose predictions by both runs are stored; they are of the same examples."""
    pairs: dict[str, PairedPredictions] = {}
    said = []
    for task in tasks:
        found = [_selected_predictions(database, run, task) for run in (first, second)]
        if found[0] is None or found[1] is None:
            if first.score(task) is not None and second.score(task) is not None:
                said.append(f"{task}: the predictions of one run are not in the registry, so nothing can be paired.")
            continue
        labels = labels_of(database, found[0].fingerprint)
        if labels is None or any(len(each.probabilities) != len(labels) for each in found if each is not None):
            said.append(f"{task}: the dev examples are not in the registry, so nothing can be paired.")
            continue
        predicted = [predicted_labels(first.tasks[task], each.probabilities) for each in found if each is not None]
        pairs[task] = PairedPredictions(first.tasks[task], labels, *predicted)
    is_all = set(pairs) == set(first.tasks) == set(second.tasks)
    return compare_examples(pairs, resamples, with_overall=is_all), said


def _selected_predictions(database: Database, run: Run, task: str) -> Predictions | None:
    epoch = run.scores.selected_epoch
    return stored_predictions.read(database, run.key, task, epoch) if epoch is not None else None
