"""The registries that the dashboard is measured on: finished runs with names in order, and one run that is trained."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.registries import filled_registry, finish_all
from bertmt.registry import metrics
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Started, now
from bertmt.run_folder.layout import RunOrder, hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Tasks

SERIES = ("loss/sst", "loss/para", "loss/sts", "dev/sst", "gradient_norm")


def named_registry(path: Path, runs: int, points: int = 0, tasks: Tasks = BUILTIN) -> None:
    """Finished runs called run-00001 …, each with so many points."""
    with filled_registry(path, runs, tasks) as database:
        finish_all(database)
        database.execute("UPDATE runs SET name = printf('run-%05d', key)")
        if points:
            _add_points(database, points)


def _add_points(database: Database, points: int) -> None:
    steps = range(points // len(SERIES))
    for run in all_runs(database):
        with database.immediate():
            metrics.append(database, run.key, [(name, step, 1 / (step + 1)) for step in steps for name in SERIES])
    database.execute("UPDATE runs SET events_offset = 1, events_attempt = 1")


@contextmanager
def training_run(steps: int) -> Iterator[tuple[Database, Run, EventWriter]]:
    """A run of so many steps that is trained by this process, as far as a front end can tell, and by no worker."""
    with tempfile.TemporaryDirectory() as folder, filled_registry(Path(folder) / "runs.db", 1) as database:
        run = claim_next(database, None, "cpu")
        assert run is not None
        run_folder = folder_of(database, run)
        run_folder.create(
            RunOrder(run_id=run.id, name=run.name, attempt=1, data="toy", extra_data_file=""),
            run.submission.recipe_json,
        )
        with hold_alive(run_folder), closing(EventWriter(run_folder.events(1))) as events:
            events.write(Started(at=now(), attempt=1, pid=1, steps_total=steps, epochs_total=1))
            yield database, run, events
