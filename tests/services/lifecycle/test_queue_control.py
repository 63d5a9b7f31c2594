"""Holding the queue, and the order of what waits."""

from collections.abc import Callable

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import BusyError
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.registry.workers import register
from bertmt.services.lifecycle.control import hold
from bertmt.services.lifecycle.hold import hold_queue, queue_is_held, release_queue
from bertmt.services.lifecycle.reordering import queue_order, shift


@pytest.fixture
def claim(database: Database) -> Callable[..., Run | None]:
    worker = register(database, ["cpu"])
    return lambda: claim_next(database, worker, "cpu")


@pytest.fixture
def waiting(database: Database, add_run: AddRun) -> tuple[dict[str, Run], Callable[..., str]]:
    """Runs a to e, and their names in the order of the queue."""
    runs = {name: add_run(name) for name in "abcde"}
    return runs, lambda: "".join(run.name for run in queue_order(database))


def test_nothing_is_taken_from_a_held_queue_until_it_is_released(
    database: Database, add_run: AddRun, claim: Callable[..., Run | None]
) -> None:
    running, waiting = add_run(), add_run()
    assert present(claim()).key == running.key
    hold_queue(database)
    assert queue_is_held(database)
    assert claim() is None
    assert run_by_key(database, running.key).state is State.RUNNING
    release_queue(database)
    assert not queue_is_held(database)
    assert present(claim()).key == waiting.key


def test_holding_and_releasing_twice_is_no_mistake(database: Database) -> None:
    hold_queue(database)
    hold_queue(database)
    release_queue(database)
    release_queue(database)
    assert not queue_is_held(database)


def test_releasing_the_queue_leaves_single_runs_held(
    database: Database, add_run: AddRun, claim: Callable[..., Run | None]
) -> None:
    held = hold(database, add_run())
    hold_queue(database)
    release_queue(database)
    assert claim() is None
    assert run_by_key(database, held.key).state is State.HELD


def test_the_order_holds_queued_and_held_runs_and_no_others(
    database: Database, waiting: tuple[dict[str, Run], Callable[..., str]], claim: Callable[..., Run | None]
) -> None:
    runs, order = waiting
    claim()
    hold(database, runs["d"])
    assert order() == "bcde"


@pytest.mark.parametrize(
    ("name", "places", "after"),
    [
        ("c", -1, "acbde"),
        ("c", 1, "abdce"),
        ("b", 3, "acdeb"),
        ("e", -2, "abecd"),
        ("a", -1, "abcde"),
        ("e", 1, "abcde"),
        ("c", -99, "cabde"),
        ("c", 99, "abdec"),
        ("c", 0, "abcde"),
    ],
)
def test_a_run_moves_so_many_places_and_stops_at_the_ends(
    database: Database, waiting: tuple[dict[str, Run], Callable[..., str]], name: str, places: int, after: str
) -> None:
    runs, order = waiting
    shift(database, runs[name], places)
    assert order() == after


def test_moving_down_and_up_again_restores_every_position(
    database: Database, waiting: tuple[dict[str, Run], Callable[..., str]]
) -> None:
    runs, _ = waiting
    before = [(run.key, run.queueing.position) for run in queue_order(database)]
    shift(database, runs["b"], 2)
    shift(database, runs["b"], -2)
    assert [(run.key, run.queueing.position) for run in queue_order(database)] == before


def test_a_run_that_does_not_wait_is_not_moved(
    database: Database, waiting: tuple[dict[str, Run], Callable[..., str]], claim: Callable[..., Run | None]
) -> None:
    waiting[0]["a"] = present(claim())
    with pytest.raises(BusyError, match="running; only queued and held runs can be moved"):
        shift(database, waiting[0]["a"], 1)
