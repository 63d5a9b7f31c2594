"""Budgets hold: with two workers, after kills, and what is left is held with a true reason."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from call_types import AddRun
from worker_rounds import WORKER_THAT_DRAINS, run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.registry.budgets import attempts, rows
from bertmt.registry.budgets.rows import Limits, add_budget
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, run_by_key, transitions
from bertmt.registry.states import State
from bertmt.services.lifecycle.budgets import keep_budgets, told_of_budget
from bertmt.services.lifecycle.control import release, requeue, resume
from bertmt.services.lifecycle.waiting import wait_for
from bertmt.services.upkeep.notify.news import what_happened
from bertmt.services.upkeep.notify.settings import EVENTS
from bertmt.worker.worker import Worker

NOTHING = 1e-12  # hours; used up by the first two events


@pytest.fixture
def queue(database: Database, add_run: AddRun) -> Callable[..., list[Run]]:
    """Queues runs of one budget."""

    def add(*names: str, **limits: Any) -> list[Run]:
        runs = [add_run(name) for name in names]
        with database.immediate():
            key = add_budget(database, Limits(**limits))
            for run in runs:
                database.execute("UPDATE runs SET budget = ? WHERE key = ?", (key, run.key))
        return [run_by_key(database, run.key) for run in runs]

    return add


def states(database: Database) -> Counter[str]:
    return Counter(str(run.state) for run in all_runs(database))


def why(database: Database, run: Run) -> str:
    return transitions(database, run.key)[-1].reason


def state_of(database: Database, run: Run) -> State:
    return run_by_key(database, run.key).state


def test_so_many_runs_are_begun_and_the_rest_is_held(
    database: Database, worker: Worker, said: list[str], queue: Callable[..., list[Run]], add_run: AddRun
) -> None:
    runs = queue("finish-1", "finish-2", "finish-3", "finish-4", most_runs=2)
    other = add_run("finish-5")
    run_until(worker, lambda: states(database) == {"finished": 3, "held": 2})
    assert [state_of(database, run) for run in runs] == [State.FINISHED] * 2 + [State.HELD] * 2
    assert state_of(database, other) is State.FINISHED, "it has no part in that budget"
    assert why(database, runs[3]) == "its budget of 2 runs is used up"
    [sentence] = [line for line in said if "budget" in line]
    assert sentence.startswith("A budget of 2 runs is used up: 2 runs are held")


def test_a_run_that_was_begun_may_be_begun_again(
    database: Database, worker: Worker, queue: Callable[..., list[Run]]
) -> None:
    """It was lost once, and is queued again by itself."""
    first, second = queue("die-1", "finish-2", most_runs=1)
    run_until(worker, lambda: state_of(database, first) is State.LOST)
    assert run_by_key(database, first.key).attempt == 2 and state_of(database, second) is State.HELD


def test_two_workers_begin_no_more_than_one_would(
    database: Database, queue: Callable[..., list[Run]], stand_in_child: tuple[str, ...]
) -> None:
    queue(*(f"finish-{number}" for number in range(12)), most_runs=5)
    command = [sys.executable, "-c", WORKER_THAT_DRAINS, str(database.path), *stand_in_child]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = "".join(process.communicate(timeout=60)[0] for process in both)
    assert states(database) == {"finished": 5, "held": 7}
    assert printed.count("A budget of 5 runs is used up") == 1


def test_who_looked_before_another_worker_took_the_last_one_gets_none(
    database: Database, queue: Callable[..., list[Run]]
) -> None:
    """No round of a worker lies between: the statement that takes a run counts those that were begun."""
    queue("one", "two", most_runs=1)
    assert claim_next(database, None, "cpu") is not None and claim_next(database, None, "cpu") is None


def test_used_hours_pause_what_runs_and_hold_what_waits(
    database: Database, worker: Worker, said: list[str], queue: Callable[..., list[Run]]
) -> None:
    running, waiting = queue("wait-1", "finish-2", hours=NOTHING)
    run_until(worker, lambda: state_of(database, running) is State.PAUSED)
    assert state_of(database, waiting) is State.HELD
    assert "A budget of 1e-12 h of training is used up: 1 run is held, 1 run is paused." in said
    assert why(database, waiting) == "its budget of 1e-12 h of training is used up"
    assert "paused" in why(database, running)


def test_a_killed_worker_leaves_a_budget_that_the_next_one_keeps(
    database: Database, worker: Worker, queue: Callable[..., list[Run]], stand_in_child: tuple[str, ...]
) -> None:
    running, waiting = queue("wait-1", "finish-2", hours=1.0)
    command = [sys.executable, "-c", WORKER_THAT_DRAINS, str(database.path), *stand_in_child]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while run_by_key(database, running.key).progress.step != 19:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    database.execute("UPDATE budgets SET hours = ?", (NOTHING,))
    run_until(worker, lambda: state_of(database, running) is State.PAUSED)
    assert state_of(database, waiting) is State.HELD and run_by_key(database, running.key).attempt == 1


def test_hours_are_those_in_which_attempts_told_something(database: Database, queue: Callable[..., list[Run]]) -> None:
    """A run whose machine was off for a night used nothing of it."""
    one, two = queue("one", "two", hours=4.0)
    with database.immediate():
        for run, attempt, first, last in (
            (one, 1, "2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+00:00"),
            (one, 2, "2026-03-02T12:00:00+00:00", "2026-03-02T12:30:00+00:00"),
            (two, 1, "2026-03-02T12:00:00+00:00", "2026-03-02T13:00:00+00:00"),
        ):
            database.execute("UPDATE runs SET attempt = ? WHERE key = ?", (attempt, run.key))
            attempts.store_times(database, run_by_key(database, run.key), first, last)
    run = run_by_key(database, one.key)
    assert told_of_budget(database, run) == "2.50 of 4 h of training, with 1 other" and keep_budgets(database) == []
    database.execute("UPDATE budgets SET hours = 2.4")
    [sentence] = keep_budgets(database)
    assert sentence == "A budget of 2.4 h of training is used up: 2 runs are held."
    assert keep_budgets(database) == []


def drawn(database: Database, run: Run, joules: float | None) -> None:
    with database.immediate():
        database.execute("UPDATE runs SET attempt = 1 WHERE key = ?", (run.key,))
        run = run_by_key(database, run.key)
        attempts.store_times(database, run, "2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+00:00")
        attempts.store_energy(database, run, None, joules, False)


def test_energy_is_a_budget_where_it_is_measured(database: Database, queue: Callable[..., list[Run]]) -> None:
    one, two = queue("one", "two", kwh=0.5)
    drawn(database, one, 1_799_000.0)
    assert keep_budgets(database) == [] and state_of(database, two) is State.QUEUED
    drawn(database, one, 1_800_000.0)
    assert keep_budgets(database) == ["A budget of 0.5 kWh is used up: 2 runs are held."]
    assert why(database, two) == "its budget of 0.5 kWh is used up"


def test_where_nobody_measures_energy_no_run_but_the_first_is_begun(
    database: Database, worker: Worker, queue: Callable[..., list[Run]]
) -> None:
    """What cannot be counted cannot be kept; the first is not stopped, as that would save nothing that anyone knows."""
    running, waiting = queue("wait-1", "finish-2", kwh=0.5)
    run_until(worker, lambda: state_of(database, waiting) is State.HELD)
    assert state_of(database, running) is State.RUNNING and run_by_key(database, running.key).execution.request is None
    assert why(database, waiting) == (f"its budget is in kWh, and nobody measures the energy of run {running.id}")
    worker.stopping = True
    run_until(worker, lambda: not worker.children)


def test_where_nobody_measures_energy_the_run_that_may_train_goes_on_after_its_machine_died(
    database: Database, queue: Callable[..., list[Run]]
) -> None:
    first, second = queue("one", "two", kwh=0.5)
    drawn(database, first, None)
    keep_budgets(database)
    assert (state_of(database, first), state_of(database, second)) == (State.QUEUED, State.HELD)
    taken = claim_next(database, None, "cpu")
    assert taken is not None and taken.key == first.key


def test_what_waits_is_held_though_less_is_used_than_when_the_budget_ended(
    database: Database, queue: Callable[..., list[Run]]
) -> None:
    """Runs of it were deleted; the budget has said that it is used up, and nothing of it is taken any more."""
    [run] = queue("one", hours=1.0)
    database.execute("UPDATE budgets SET used_up_at = 'now', stops_all = 1, why = 'its budget is used up'")
    assert keep_budgets(database) == []
    assert (state_of(database, run), why(database, run)) == (State.HELD, "its budget is used up")


def test_a_person_who_cancels_while_a_budget_ends_is_obeyed(
    database: Database, queue: Callable[..., list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    [run] = queue("one", hours=0.5)
    claim_next(database, None, "cpu")
    drawn(database, run, None)
    use_up = rows.use_up

    def cancelled_before(*about: Any) -> bool:
        database.execute("UPDATE runs SET request = 'cancel' WHERE key = ?", (run.key,))
        return use_up(*about)

    monkeypatch.setattr(rows, "use_up", cancelled_before)
    keep_budgets(database)
    assert run_by_key(database, run.key).execution.request == "cancel"


def test_a_round_reads_no_ended_runs_of_a_budget_that_is_used_up(
    database: Database, queue: Callable[..., list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = queue("one", "two", hours=0.5)
    drawn(database, runs[0], None)
    keep_budgets(database)
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (runs[0].key,))
    database.execute("UPDATE runs SET state = 'queued' WHERE key = ?", (runs[1].key,))
    monkeypatch.setattr(rows, "runs_of", None)
    assert keep_budgets(database) == [] and state_of(database, runs[1]) is State.HELD


def test_what_a_person_lets_go_on_leaves_the_budget(database: Database, queue: Callable[..., list[Run]]) -> None:
    held, paused, failed = queue("one", "two", "three", hours=1.0)
    drawn(database, held, None)
    database.execute("UPDATE attempts SET last_at = '2026-03-01T14:00:00+00:00'")
    keep_budgets(database)
    for run, state in ((paused, "paused"), (failed, "failed")):
        database.execute("UPDATE runs SET state = ? WHERE key = ?", (state, run.key))
    for run, verb in ((held, release), (paused, resume), (failed, requeue)):
        after = verb(database, run_by_key(database, run.key))
        assert (after.state, after.queueing.budget) == (State.QUEUED, None)
        assert why(database, run).endswith(", without its budget, which is used up")
    assert keep_budgets(database) == [] and claim_next(database, None, "cpu") is not None


def test_what_is_let_go_on_within_a_budget_stays_in_it(database: Database, queue: Callable[..., list[Run]]) -> None:
    [run] = queue("one", hours=1.0)
    database.execute("UPDATE runs SET state = 'held' WHERE key = ?", (run.key,))
    after = release(database, run_by_key(database, run.key))
    assert after.queueing.budget == run.queueing.budget and why(database, run) == "released"


def test_who_waits_for_runs_does_not_wait_for_what_a_budget_stops(
    database: Database, worker: Worker, queue: Callable[..., list[Run]]
) -> None:
    runs = queue("finish-1", "finish-2", "finish-3", most_runs=2)
    run_until(worker, lambda: states(database) == {"finished": 2, "held": 1})
    looks = iter([False, True])
    assert [run.state for run in wait_for(database, runs, is_over=lambda: next(looks))][2] is State.HELD
    assert next(looks) is False, "it was over at the first look"


def test_that_a_budget_is_used_up_is_told_once(database: Database, queue: Callable[..., list[Run]]) -> None:
    assert what_happened(database, EVENTS) == ""
    queue("one", "two", most_runs=1)
    claim_next(database, None, "cpu")
    keep_budgets(database)
    assert what_happened(database, ("finished",)) == "", "nobody asked for it, and it does not come later"
    assert what_happened(database, EVENTS) == ""
    queue("three", "four", "five", most_runs=1)
    claim_next(database, None, "cpu")
    keep_budgets(database)
    told = what_happened(database, EVENTS)
    assert told == "A budget of 1 run is used up: 2 runs are held, 1 run goes on."
    assert what_happened(database, EVENTS) == ""


def test_slots_of_one_worker_share_a_budget(
    database: Database, queue: Callable[..., list[Run]], stand_in_child: tuple[str, ...]
) -> None:
    slots = [DeviceSlot(f"cpu-{number}", "cpu", 1) for number in range(4)]
    worker = Worker(database, slots, lambda line: None, stand_in_child)
    queue(*(f"finish-{number}" for number in range(6)), most_runs=2)
    run_until(worker, lambda: states(database) == {"finished": 2, "held": 4})


def test_what_is_queued_again_meanwhile_is_not_begun_before_anyone_looked(
    database: Database, queue: Callable[..., list[Run]]
) -> None:
    """It was stopped with its machine, and its budget had been used up before."""
    [run] = queue("one", hours=1.0)
    database.execute("UPDATE budgets SET used_up_at = 'now', stops_all = 1")
    assert claim_next(database, None, "cpu") is None and state_of(database, run) is State.QUEUED
