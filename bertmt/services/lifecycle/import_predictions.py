"""`bertmt import-predictions`: which tasks and which data are meant, then the import."""

from collections.abc import Sequence
from pathlib import Path

from bertmt import paths
from bertmt.errors import BusyError, Problems, UsageError
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_named
from bertmt.registry.records import Run
from bertmt.services.ingest.import_predictions import import_predictions
from bertmt.services.ingest.untrained import SPLIT
from bertmt.services.names import check_name
from bertmt.services.plan.known_tasks import known_tasks
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks.loading import TOY


def bring_predictions(
    database: Database, name: str, files: Sequence[Path], tasks: Sequence[str], split: str, data: str | None
) -> Run:
    """Bring in prediction files of another program as a run.

    Args:
        tasks: of each file, in order.
        data: where the course's tasks have their examples; None: the user's default.

    Raises:
        UsageError: with all that is wrong with the request.
        DataError: data or a file cannot be used.
    """
    problems = Problems()
    problems.attempt(check_name, name)
    known = known_tasks(database.path.parent)
    if split != SPLIT:
        problems.add(UsageError(f"Only predictions of {SPLIT} are compared: --split {SPLIT}, not {split[:40]!r}."))
    if len(files) != len(tasks):
        problems.add(UsageError(f"Name one --task for each file: {len(files)} of files, {len(tasks)} of tasks."))
    for task in tasks:
        if task not in known:
            problems.add(UsageError(f"No task is called {task[:40]!r}; there are {', '.join(known)}."))
        elif tasks.count(task) > 1:
            problems.add(UsageError(f"The task {task} is named twice."))
    for run in runs_named(database, name):
        # Runs of one name are the seeds of a recipe; of another program's predictions nobody could tell which is meant.
        if run.recipe.get("encoder") == OTHER_PROGRAM:
            said = f"Imported predictions are called {name!r} already, run {run.id}: choose another name"
            problems.add(BusyError(f"{said}, or remove those with `bertmt rm {run.id}`."))
            break
    problems.raise_all()
    wanted = {task: file for task in known for each, file in zip(tasks, files, strict=True) if each == task}
    place = data if data is not None else read_user_settings().get("data", TOY)
    return import_predictions(
        database, name, wanted, known, place if place == TOY else str(paths.expanded(place).absolute())
    )
