"""How fast a run is: by its newest steps, without what lies between them."""

from collections.abc import Callable

import pytest

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Started, Step
from bertmt.services.browse.run_formatting import speed_text
from bertmt.services.browse.times.throughput import Speeds
from bertmt.services.ingest.ingest import ingest


def at(seconds: float) -> str:
    return f"2026-03-01T12:{int(seconds) // 60:02}:{seconds % 60:06.3f}+00:00"


@pytest.fixture
def step(events: EventWriter) -> Callable[[int, float], None]:
    def write(number: int, seconds: float) -> None:
        events.write(Step(at=at(seconds), step=number, epoch=1, phase="train", values={"loss": 1.0}))

    return write


def test_an_evaluation_between_two_steps_makes_a_run_no_slower(
    database: Database, claimed: Run, events: EventWriter, step: Callable[[int, float], None]
) -> None:
    events.write(Started(at=at(0)))
    step(0, 0.5)
    step(1, 1.0)
    events.write(Evaluated(at=at(300), epoch=1, step=2, scores={"sst": 0.4}))
    step(2, 300.5)
    run = ingest(database, claimed)
    assert Speeds(database).of([run]) == {run.id: pytest.approx(2.0)}


def test_a_run_that_became_slower_is_as_fast_as_it_is_now(
    database: Database, claimed: Run, events: EventWriter, step: Callable[[int, float], None]
) -> None:
    events.write(Started(at=at(0)))
    for number in range(100):
        step(number, number / 10)
    speeds = Speeds(database)
    run = ingest(database, claimed)
    assert speeds.of([run])[run.id] == pytest.approx(10.0)
    for number in range(60):
        step(100 + number, 10 + 2 * number)
    run = ingest(database, run)
    assert speeds.of([run])[run.id] == pytest.approx(0.5)


def test_who_does_not_run_or_has_no_two_steps_has_no_speed(
    database: Database, claimed: Run, events: EventWriter, step: Callable[[int, float], None]
) -> None:
    speeds = Speeds(database)
    assert speeds.of([claimed]) == {}
    events.write(Started(at=at(0)))
    step(0, 1)
    step(1, 2)
    run = ingest(database, claimed)
    assert run.id in speeds.of([run])
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
    assert speeds.of([run_by_key(database, run.key)]) == {}


def test_slow_steps_are_told_by_their_length() -> None:
    assert [speed_text(each) for each in (None, 123.4, 3.21, 0.25, 0.01)] == [
        "", "123 steps/s", "3.2 steps/s", "4.0 s/step", "100 s/step",
    ]  # fmt: skip
