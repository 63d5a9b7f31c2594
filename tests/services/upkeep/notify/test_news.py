"""Each end of a run is told once, whoever looks; what a person did is none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from call_types import AddRun
from registry_builder import HOSTILE, RegistryBuilder
from stored_scores import store_scores

from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, forget
from bertmt.registry.states import Actor, State
from bertmt.registry.workers import register
from bertmt.services.ingest.import_run import import_run
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle.control import cancel
from bertmt.services.upkeep.notify.news import MOST_LINES, what_happened
from bertmt.services.upkeep.notify.settings import EVENTS


@pytest.fixture
def end(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """Adds a run, claims it, and lets it end."""
    worker = register(database, ["cpu"])
    what_happened(database, EVENTS)  # from here on

    def ended(name: str, after: State, actor: Actor = Actor.EVENT, reason: str = "", **columns: str) -> Run:
        run = add_run(name)
        assert claim_next(database, worker, "cpu")
        with database.immediate():
            change_state(database, run.key, after, actor, reason, **columns)
        return run

    return ended


def test_what_ended_before_anyone_asked_is_no_news(database: Database, add_run: AddRun) -> None:
    add_run("old")
    assert what_happened(database, EVENTS) == ""


def test_each_end_is_told_once_with_its_reason(database: Database, end: Callable[..., Run]) -> None:
    finished = end("one", State.FINISHED)
    failed = end("two", State.FAILED, failure="ValueError: it broke.")
    lost = end("three", State.LOST, Actor.DEATH, "its process is gone (SIGKILL)")
    with open_registry(database.path) as another:
        assert what_happened(another, EVENTS).splitlines() == [
            f"{finished.id} one (seed 0) finished.",
            f"{failed.id} two (seed 0) failed: ValueError: it broke.",
            f"{lost.id} three (seed 0) was lost: its process is gone (SIGKILL).",
            "The queue is empty.",
        ]
    assert what_happened(database, EVENTS) == ""


def test_scores_are_told(database: Database, end: Callable[..., Run]) -> None:
    run = end("one", State.FINISHED)
    store_scores(database, run.key, {"sst": 0.4567})
    assert f"{run.id} one (seed 0) finished: sst 0.457." in what_happened(database, EVENTS)


def test_only_what_was_asked_for_is_told_and_the_rest_does_not_come_later(
    database: Database, end: Callable[..., Run]
) -> None:
    end("one", State.FINISHED)
    assert what_happened(database, ("failed",)) == "" and what_happened(database, EVENTS) == ""


def test_the_queue_is_not_empty_while_something_waits_or_runs(
    database: Database, end: Callable[..., Run], add_run: AddRun
) -> None:
    end("one", State.FINISHED)
    waiting = add_run("waits")
    assert "queue" not in what_happened(database, EVENTS)
    cancel(database, waiting)
    assert what_happened(database, EVENTS) == "", "a person cancelled it, and knows"
    add_run("held", state=State.HELD)
    end("two", State.FINISHED)
    assert what_happened(database, EVENTS).endswith("\nThe queue is empty but for 1 held.")


def test_what_became_of_it_since_is_told(database: Database, end: Callable[..., Run]) -> None:
    run = end("one", State.LOST, Actor.DEATH, "gone")
    with database.immediate():
        change_state(database, run.key, State.QUEUED, Actor.DEATH, "once more")
    assert what_happened(database, EVENTS) == f"{run.id} one (seed 0) was lost: gone; now it is queued."


def test_many_are_one_message(database: Database, end: Callable[..., Run]) -> None:
    for number in range(MOST_LINES + 3):
        end(f"run{number}", State.FINISHED if number else State.FAILED)
    lines = what_happened(database, EVENTS).splitlines()
    assert len(lines) == MOST_LINES + 2 and lines[-2] == "and 3 more: 1 failed, 7 finished in all."


def test_names_and_failures_steer_nothing(database: Database, end: Callable[..., Run]) -> None:
    end(HOSTILE, State.FAILED, failure=HOSTILE * 100)
    [line, _] = what_happened(database, EVENTS).splitlines()
    assert "\x1b" not in line and len(line) < 310


def test_a_run_that_was_deleted_meanwhile_is_left_out(database: Database, end: Callable[..., Run]) -> None:
    forget(database, end("one", State.FINISHED).key)
    assert what_happened(database, ("finished",)) == ""


def test_a_run_that_was_brought_in_is_no_news(database: Database, tmp_path: Path, end: Callable[..., Run]) -> None:
    elsewhere = RegistryBuilder(tmp_path / "elsewhere" / "runs.db")
    folder = folder_of(elsewhere.database, elsewhere.finished("other"))
    brought = import_run(database, folder.path)
    assert brought.state is State.FINISHED and what_happened(database, EVENTS) == ""
    elsewhere.database.close()
    own = end("own", State.FINISHED)
    assert what_happened(database, ("finished",)) == f"{own.id} own (seed 0) finished."
