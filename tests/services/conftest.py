"""Runs as services find them: finished ones with scores, and one that runs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from present import present
from registry_to_damage import fill
from stored_scores import store_scores

from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.file.backups import keep_backup
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.workers import register
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.layout import RunOrder
from bertmt.services.ingest.ingest import folder_of


@pytest.fixture
def finish(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """Adds a finished run with scores."""

    def finished(
        name: Any, preset_name: str = "baseline", scores: tuple[float, float, float] = (0.4, 0.7, 0.3), **values: Any
    ) -> Run:
        run = add_run(name, preset_name=preset_name, **values)
        database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
        store_scores(database, run.key, dict(zip(("sst", "para", "sts"), scores, strict=True)))
        return run_by_key(database, run.key)

    return finished


@pytest.fixture
def claimed(database: Database, add_run: AddRun) -> Run:
    """A running run with its folder."""
    add_run()
    run = present(claim_next(database, register(database, ["cpu"]), "cpu"))
    folder_of(database, run).create(
        RunOrder(run_id=run.id, name=run.name, attempt=1, data="toy", extra_data_file=""), run.submission.recipe_json
    )
    return run


@pytest.fixture
def events(database: Database, claimed: Run) -> EventWriter:
    return EventWriter(folder_of(database, claimed).events(1))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a registry that no test may change."""
    folder = tmp_path_factory.mktemp("original")
    fill(folder)
    return folder


@pytest.fixture
def registry(original: Path, tmp_path: Path) -> Path:
    """A copy of it to damage, with its run folders."""
    shutil.copytree(original, tmp_path / "copy")
    return tmp_path / "copy" / "runs.db"


@pytest.fixture
def backed_up(registry: Path) -> Path:
    """The registry, of which there is a backup."""
    with open_registry(registry) as database:
        keep_backup(database)
    return registry
