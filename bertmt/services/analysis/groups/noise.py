"""What seeds alone do to a score at the scale of a run, from all seeds of one recipe that the registry has."""

from collections.abc import Collection

from bertmt.comparison.noise import NoiseFloor, noise_floor
from bertmt.registry.records import Run
from bertmt.services.browse.baseline import same_dev_data, scale_key
from bertmt.services.browse.run_list import RunList, newest_of_each_seed


def noise_floors(runs: RunList, reference: Run, tasks: Collection[str]) -> dict[str, NoiseFloor]:
    """What seeds alone do to the scores of any recipe at the scale of a run, on its dev data; "overall" is one of them.

    Args:
        runs: of the registry; those that were read when it was refreshed last.
    """
    recipes = [[row.run for row in newest_of_each_seed(group.rows)] for group in runs.groups()]
    alike = [seeds for seeds in recipes if len(seeds) > 1 and scale_key(seeds[0]) == scale_key(reference)]
    found = {}
    for task in tasks:
        of_task = [seeds for seeds in alike if _judges_alike(seeds[0], reference, task)]
        scores = [[score for run in seeds if (score := run.score(task)) is not None] for seeds in of_task]
        floor = noise_floor(scores)
        if floor is not None:
            found[task] = floor
    return found


def _judges_alike(run: Run, reference: Run, name: str) -> bool:
    """Whether scores of a task, or the overall ones, are of the same tasks on the same dev examples."""
    if name == "overall" and set(run.tasks) != set(reference.tasks):
        return False
    return all(same_dev_data(run, reference, task) for task in (run.tasks if name == "overall" else (name,)))
