"""Arms of several seeds against each other: by seed and, where predictions are stored, over the dev examples too."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertmt.comparison.paired import overall_weight
from bertmt.comparison.seeds import LEAST_TWO_WAY, SeedDifference, compare_seeds
from bertmt.comparison.several_seeds.two_way import DevSet, over_examples_too, resampled_dev_set, weighted
from bertmt.registry.database import Database
from bertmt.services.analysis.arms import Arm
from bertmt.services.analysis.effects.influences import ReadInfluences

OVERALL = "overall"


def differences_by_seed(
    database: Database, reference: Arm, arm: Arm, tasks: Sequence[str], resamples: int
) -> tuple[SeedDifference, ...]:
    """By task the difference of two arms; and of the overall scores, where examples are resampled in all their tasks.

    Args:
        tasks: those that can be compared and that both have scores of.
        resamples: as many as the whole family needs.
    """
    read = ReadInfluences(database)
    found: list[SeedDifference] = []
    dev_sets: dict[str, DevSet] = {}
    for task in tasks:
        result = compare_seeds(task, reference.scores(task), arm.scores(task))
        influences = _influences(read, reference, arm, result, task)
        if influences is None:
            found.append(result)
            continue
        result = replace(result, has_examples=True)
        if len(result.seeds) >= LEAST_TWO_WAY:
            dev_sets[task] = resampled_dev_set(task, influences, resamples)
            result = over_examples_too(result, [dev_sets[task]], 2.0 if reference.tasks[task].metric.signed else 1.0)
        found.append(result)
    overall = _overall(reference, arm, found, dev_sets)
    return (*found, overall) if overall is not None else tuple(found)


def _overall(
    reference: Arm, arm: Arm, found: Sequence[SeedDifference], dev_sets: dict[str, DevSet]
) -> SeedDifference | None:
    """None where an overall score is of other tasks, of one alone, or of other seeds than those of its tasks."""
    if len(dev_sets) < 2 or not set(dev_sets) == set(reference.tasks) == set(arm.tasks):
        return None
    result = compare_seeds(OVERALL, reference.scores(OVERALL), arm.scores(OVERALL))
    if any(each.seeds != result.seeds for each in found):
        return None
    about = reference.tasks
    weights = {name: overall_weight(about[name], len(about)) for name in dev_sets}
    return over_examples_too(replace(result, has_examples=True), weighted(dev_sets, weights), 1.0)


def _influences(read: ReadInfluences, reference: Arm, arm: Arm, result: SeedDifference, task: str) -> np.ndarray | None:
    """What each example adds to each paired seed's difference, (k, n); None where it is not known of all of them, all
    on the same examples, or where there is one example alone."""
    of_reference, of_arm = ({run.seed: run for run in side.newest} for side in (reference, arm))
    found = [read.of_pair(of_reference[seed], of_arm[seed], task) for seed in result.seeds]
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found) or len({mark for mark, _ in known}) > 1:
        return None
    together = np.stack([values for _, values in known])
    return together if together.shape[1] > 1 else None
