"""Clocks that people set, or that are wrong: they decide nothing about who is dead."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from present import present
from worker_rounds import process_of, run_until

from bertmt.registry import workers
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key, transitions
from bertmt.registry.states import State
from bertmt.run_folder.processes import boot, is_recent, moment
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.control import stop_orphans
from bertmt.worker.worker import Worker

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def claimed(database: Database, add_run: AddRun) -> Run:
    """A run that this process has claimed as a worker, and whose child has not begun."""
    add_run("wait")
    worker = workers.register(database, ["cpu"])
    database.execute("UPDATE workers SET beat = ?", (f"{boot()} 0",))  # the claim is a beat too
    run = present(claim_next(database, worker, "cpu"))
    folder_of(database, run).make()
    return run


def look_with_clock(database: Database, shift: str) -> None:
    """A command of a person whose clock is off by so many seconds."""
    root = database.path.parent
    words = ["torture.faults", f"clock{shift}@1", str(root), str(root / "record"), "-m", "torture.command"]
    subprocess.run([sys.executable, "-m", *words, "--db", str(database.path), "runs"], cwd=REPOSITORY, check=True)


def states(database: Database, run: Run) -> list[Any]:
    return [each.state_after for each in transitions(database, run.key)]


@pytest.mark.parametrize("shift", ["+3600", "-3600"])
def test_a_claimed_run_whose_worker_lives_is_left_alone_whatever_the_clock_says(
    database: Database, claimed: Run, shift: str
) -> None:
    look_with_clock(database, shift)
    database.execute("UPDATE workers SET beat = ?", (f"{boot()} 0",))
    look_with_clock(database, shift)
    assert states(database, claimed) == ["queued", "running"]


@pytest.mark.parametrize("shift", ["+3600", "-3600"])
def test_a_child_whose_worker_died_at_once_has_its_time_to_begin_whatever_the_clock_says(
    database: Database, claimed: Run, shift: str
) -> None:
    database.execute("UPDATE workers SET process_start = 'gone', heartbeat_at = '2020-01-01T00:00:00.000+00:00'")
    look_with_clock(database, shift)
    assert states(database, claimed) == ["queued", "running"]
    database.execute("UPDATE workers SET beat = ?", (f"{boot()} 0",))
    look_with_clock(database, shift)
    assert states(database, claimed) == ["queued", "running", "lost", "queued"]


@pytest.mark.parametrize("beat", ["another-boot 5", "", "? ?"])
def test_a_worker_that_is_silent_or_of_another_boot_leaves_a_run_whose_child_died_to_others(
    database: Database, claimed: Run, beat: str
) -> None:
    folder_of(database, claimed).events(1).touch()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, claimed.key).state is State.RUNNING, "its worker was heard of"
    database.execute("UPDATE workers SET beat = ?", (beat,))
    ingest_running(database, silent_only=False)
    assert states(database, claimed)[-2:] == ["lost", "queued"]


def test_a_moment_is_recent_for_so_many_seconds_and_never_before_it() -> None:
    assert is_recent(moment(), 60) and not is_recent(moment(), 0)
    assert not is_recent(f"{boot()} 1e18", 60)


@pytest.fixture
def copied(database: Database, add_run: AddRun, worker: Worker, tmp_path: Path) -> Iterator[tuple[Run, Database]]:
    """A run that is worked, and a copy of its registry with all that is in it."""
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(tmp_path, tmp_path / "copy")
    with open_registry(tmp_path / "copy" / "runs.db") as copy:
        yield run, copy
    [work] = worker.children.values()
    process_of(work).kill()
    process_of(work).wait()


def test_a_copied_registry_knows_that_it_has_neither_the_worker_nor_the_child(
    database: Database, copied: tuple[Run, Database]
) -> None:
    run, copy = copied
    assert workers.running_workers(database) and not workers.running_workers(copy)
    ingest_running(copy, silent_only=False)
    assert states(copy, run)[-2:] == ["lost", "queued"]
    ingest_running(database, silent_only=False)
    assert states(database, run) == ["queued", "running"]


def test_what_is_asked_in_a_copied_registry_does_not_reach_the_child_of_the_original(
    copied: tuple[Run, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, copy = copied
    folder_of(copy, run).path.rename(folder_of(copy, run).path.with_name("away"))
    told = []
    monkeypatch.setattr("bertmt.launchers.local.os.kill", lambda pid, number: told.append(number))
    with copy.immediate():
        copy.execute("UPDATE runs SET request = 'cancel'")
    stop_orphans(copy, [run_by_key(copy, run.key)])
    assert told == []
