"""What runs drew, summed over their attempts, and how long attempts told something."""

from typing import Any

import pytest
from present import present

from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, forget, run_by_key
from bertmt.registry.states import Actor, State
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Energy, Event, Started, Step
from bertmt.services.ingest.ingest import folder_of, ingest

DAY = "2026-03-01T12:{:02}:00+00:00"


def tell(database: Database, run: Run, *events: Event) -> Run:
    writer = EventWriter(folder_of(database, run).events(run.attempt))
    for event in events:
        writer.write(event)
    writer.close()
    return ingest(database, run_by_key(database, run.key))


def again(database: Database, run: Run) -> Run:
    """Its next attempt."""
    with database.immediate():
        change_state(database, run.key, State.QUEUED, Actor.EVENT, "stopped")
    return present(claim_next(database, None, "cpu"))


def started(minute: int) -> Started:
    return Started(at=DAY.format(minute), attempt=1)


def drawn(minute: int, **joules: Any) -> Energy:
    return Energy(at=DAY.format(minute), **joules)


def test_what_is_told_last_counts_and_attempts_are_added_up(database: Database, claimed: Run) -> None:
    run = tell(database, claimed, started(0), drawn(0, gpu_joules=0.0), drawn(2, gpu_joules=100.0))
    assert (run.progress.gpu_joules, run.progress.cpu_joules, run.progress.energy_shared) == (100.0, None, 0)
    run = tell(database, run, drawn(3, gpu_joules=7_200_000.0, shared=True))
    assert (run.progress.kwh, run.progress.energy_shared) == (2.0, 1)
    run = tell(database, again(database, run), started(30), drawn(31, gpu_joules=1_800_000.0))
    assert run.progress.kwh == 2.5


def test_of_a_run_with_an_attempt_that_nobody_measured_nothing_is_known(database: Database, claimed: Run) -> None:
    run = tell(database, claimed, started(0), drawn(2, cpu_joules=100.0))
    assert run.progress.cpu_joules == 100.0
    assert tell(database, again(database, run), started(30)).progress.kwh is None


def test_importing_twice_adds_nothing(database: Database, claimed: Run) -> None:
    run = tell(database, claimed, started(0), drawn(2, cpu_joules=100.0))
    database.execute("UPDATE runs SET events_offset = 0")
    assert ingest(database, run_by_key(database, run.key)).progress.cpu_joules == 100.0


def test_an_attempt_lasts_from_its_first_event_to_its_newest(database: Database, claimed: Run) -> None:
    run = tell(database, claimed, started(1), Step(at=DAY.format(3), step=0, epoch=1, phase="train", values={}))
    tell(database, run, Step(at=DAY.format(9), step=1, epoch=1, phase="train", values={}))
    rows = database.execute("SELECT attempt, began_at, last_at FROM attempts").fetchall()
    assert rows == [(1, DAY.format(1), DAY.format(9))]


def test_a_run_that_is_deleted_leaves_nothing(database: Database, claimed: Run) -> None:
    run = tell(database, claimed, started(0))
    forget(database, run.key)
    assert database.execute("SELECT count(*) FROM attempts").fetchone() == (0,)


@pytest.mark.parametrize("line", ['{"event":"energy","at":"2026-03-01T12:00:00Z","gpu_joules":"much"}\n'])
def test_what_is_no_energy_costs_a_line(database: Database, claimed: Run, line: str) -> None:
    run = tell(database, claimed, started(0), drawn(2, cpu_joules=100.0))
    with folder_of(database, run).events(1).open("a") as file:
        file.write(line)
    assert ingest(database, run).progress.cpu_joules == 100.0
