"""Which run a worker takes next, what it leaves alone, and what it does with runs that a person paused."""

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from call_types import AddRun
from present import present
from worker_rounds import process_of, run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.errors import BertmtError, BusyError
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Awaited, Run
from bertmt.registry.runs import all_runs, change_state, run_by_key, transitions
from bertmt.registry.states import Actor, State
from bertmt.run_folder.layout import RunOrder, hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import declare_dead
from bertmt.services.lifecycle import removal
from bertmt.services.lifecycle.control import hold, pause, release, resume
from bertmt.services.lifecycle.reordering import prioritise
from bertmt.services.lifecycle.startable import obstacles, waiting_runs
from bertmt.services.lifecycle.worker_control import find_worker, let_go_on
from bertmt.services.upkeep.garbage import Kind, find_garbage
from bertmt.worker import child_process
from bertmt.worker.worker import Worker

SLOT = DeviceSlot("cpu", "cpu", 1)


def after(database: Database, run: Run, other: Run, needs_success: bool) -> Run:
    database.execute("INSERT INTO dependencies VALUES (?, ?, ?)", (run.key, other.key, needs_success))
    return run_by_key(database, run.key)


def claimed(database: Database) -> Run | str | None:
    run = claim_next(database, None, "cpu")
    return run and run.name


def test_higher_priorities_are_started_first(database: Database, add_run: AddRun) -> None:
    add_run("a"), prioritise(database, add_run("b"), 2), add_run("c")
    assert [claimed(database) for _ in range(3)] == ["b", "a", "c"]


def test_a_run_is_not_started_before_its_time(database: Database, add_run: AddRun) -> None:
    run = add_run("later")
    for days, expected in ((1, None), (-1, "later")):
        at = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds")
        database.execute("UPDATE runs SET not_before_at = ? WHERE key = ?", (at, run.key))
        assert claimed(database) == expected


def test_a_run_that_wants_a_gpu_is_left_to_one(database: Database, add_run: AddRun) -> None:
    run = add_run("big")
    database.execute("UPDATE runs SET wants = 'gpu' WHERE key = ?", (run.key,))
    assert claimed(database) is None
    assert present(claim_next(database, None, "GPU-1234")).key == run.key


@pytest.mark.parametrize("needs_success", [False, True])
def test_a_run_waits_for_the_end_of_another(database: Database, add_run: AddRun, needs_success: bool) -> None:
    first, second = add_run("first"), add_run("second")
    second = after(database, second, first, needs_success)
    assert second.queueing.awaits == (Awaited(first.id, needs_success),)
    assert claimed(database) == "first"
    assert claimed(database) is None
    change_state(database, first.key, State.FAILED, Actor.EVENT, "broke")
    assert claimed(database) == (None if needs_success else "second")


def test_after_ok_lets_a_run_start_once_the_other_has_finished(database: Database, add_run: AddRun) -> None:
    first, second = add_run("first"), add_run("second")
    after(database, second, first, True)
    claim_next(database, None, "cpu")
    change_state(database, first.key, State.FINISHED, Actor.EVENT, "done")
    assert claimed(database) == "second"


def test_a_chain_is_worked_in_its_order_and_to_its_end(database: Database, add_run: AddRun, worker: Worker) -> None:
    third, first, second = add_run("finish-3"), add_run("finish-1"), add_run("finish-2")
    after(database, second, first, True), after(database, third, second, False)
    worker.work(drain=True)
    runs = sorted(all_runs(database), key=lambda run: present(run.execution.ended_at))
    assert [run.name for run in runs] == ["finish-1", "finish-2", "finish-3"]


def test_a_draining_worker_does_not_wait_for_what_will_never_start(
    database: Database, add_run: AddRun, worker: Worker, said: Any
) -> None:
    failing, blocked, behind = add_run("fail"), add_run("finish"), add_run("finish-too")
    after(database, blocked, failing, True), after(database, behind, blocked, False)
    worker.work(drain=True)
    assert {run_by_key(database, run.key).state for run in (blocked, behind)} == {State.QUEUED}
    assert any(f"it waits for {failing.id}, which is failed" in line for line in said)
    assert any(f"it waits for {blocked.id}, which will not start" in line for line in said)


def test_what_stands_in_the_way_is_named(database: Database, add_run: AddRun) -> None:
    held, waits, wants = hold(database, add_run("held")), add_run("waits"), add_run("wants")
    after(database, waits, held, False)
    database.execute("UPDATE runs SET wants = 'gpu' WHERE key = ?", (wants.key,))
    assert obstacles(waiting_runs(database), {"cpu"}) == {
        waits.key: f"it waits for {held.id}, which is held",
        wants.key: "it needs a GPU, which no worker has",
    }
    release(database, held)
    assert set(obstacles(waiting_runs(database), {"cpu", "gpu"})) == set()


@pytest.mark.parametrize("needs_success", [True, False])
def test_the_success_of_a_removed_run_is_still_waited_for_and_its_end_is_not(
    database: Database, add_run: AddRun, needs_success: bool
) -> None:
    awaited, waits = add_run("awaited"), add_run("waits")
    after(database, waits, awaited, needs_success)
    removal.delete(database, awaited)
    found = obstacles(waiting_runs(database), {"cpu"})
    assert found == ({waits.key: f"it waits for {awaited.id}, which is cancelled"} if needs_success else {})
    assert [item.kind for item in find_garbage(database)] == [] if needs_success else [Kind.REMOVED]
    assert claimed(database) == (None if needs_success else "waits")


def test_the_success_that_a_removed_run_had_counts(database: Database, add_run: AddRun) -> None:
    awaited, waits = add_run("awaited"), add_run("waits")
    after(database, waits, awaited, True)
    claim_next(database, None, "cpu")
    removal.delete(database, change_state(database, awaited.key, State.FINISHED, Actor.EVENT, "done"))
    assert obstacles(waiting_runs(database), {"cpu"}) == {}
    assert claimed(database) == "waits"


def test_what_a_removal_means_for_those_that_wait_is_said(database: Database, add_run: AddRun) -> None:
    awaited, needs, follows, other = add_run("awaited"), add_run("needs"), add_run("follows"), add_run("other")
    after(database, needs, awaited, True), after(database, follows, awaited, False)
    said = removal.consequences([run_by_key(database, awaited.key)], waiting_runs(database), None)
    assert said == [
        f"These runs wait for its success and will not start: {needs.id}.",
        f"These runs waited for its end and may start now: {follows.id}.",
    ]
    assert removal.consequences([other], waiting_runs(database), None) == []
    [warning] = removal.consequences([other], waiting_runs(database), other.id)
    assert warning.startswith(f"{other.id} is the chosen baseline")


@pytest.mark.parametrize("needs_success", [True, False])
def test_of_many_that_wait_for_what_is_removed_three_are_named(
    database: Database, add_run: AddRun, needs_success: bool
) -> None:
    awaited, waiting = add_run("awaited"), [add_run("waits") for _ in range(5)]
    for run in waiting:
        after(database, run, awaited, needs_success)
    [said] = removal.consequences([run_by_key(database, awaited.key)], waiting_runs(database), None)
    assert said.endswith(f": {', '.join(run.id for run in waiting[:3])} and 2 more.")


def test_a_paused_run_frees_its_slot_and_goes_on_when_resumed(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run, other = add_run("wait"), add_run("finish")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    pause(database, run)
    run_until(worker, lambda: run_by_key(database, run.key).state is State.PAUSED)
    run_until(worker, lambda: run_by_key(database, other.key).state is State.FINISHED)
    database.execute("UPDATE runs SET name = 'finish' WHERE key = ?", (run.key,))
    resume(database, run_by_key(database, run.key))
    worker.work(drain=True)
    path = [each.state_after for each in transitions(database, run.key)]
    assert path == ["queued", "running", "paused", "queued", "running", "finished"]


def test_a_child_that_does_not_stop_is_killed_after_the_grace_time(
    database: Database, add_run: AddRun, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add_run("stubborn")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    monkeypatch.setattr(child_process, "STOP_GRACE_SECONDS", 0.2)
    pause(database, run)
    run_until(worker, lambda: run_by_key(database, run.key).state is State.PAUSED)
    assert "SIGKILL" in transitions(database, run.key)[-1].reason


def test_three_runs_in_a_row_that_die_at_once_hold_the_worker(
    database: Database, add_run: AddRun, worker: Worker, said: Any, stand_in_child: tuple[str, ...]
) -> None:
    for _ in range(5):
        add_run("crash")
    with pytest.raises(BertmtError, match=r"3 consecutive runs died.*2 queued runs were not started"):
        worker.work(drain=True)
    assert [run.state for run in all_runs(database)] == [State.FAILED] * 3 + [State.QUEUED] * 2
    second = Worker(database, [SLOT], said.append, stand_in_child)
    add_run("crash")
    run_until(second, lambda: second.guard.reason is not None)
    assert "3 consecutive runs" in present(find_worker(database, second.key).guard)
    waiting = add_run("finish")
    for _ in range(5):
        second.round()
    assert run_by_key(database, waiting.key).state is State.QUEUED
    let_go_on(database, find_worker(database, second.key))
    run_until(second, lambda: run_by_key(database, waiting.key).state is State.FINISHED)
    assert find_worker(database, second.key).guard is None
    with pytest.raises(BusyError, match="is not halted"):
        let_go_on(database, find_worker(database, second.key))


def test_a_run_that_lasted_between_two_deaths_resets_the_guard(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    for name in ("crash", "crash", "finish", "crash", "crash"):
        add_run(name)
    worker.work(drain=True)
    assert [run.state for run in all_runs(database)].count(State.FAILED) == 4


def test_a_run_whose_lock_is_held_goes_back_and_is_tried_later(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("finish")
    folder = folder_of(database, run)
    folder.path.mkdir(parents=True)
    with hold_alive(folder):
        worker.round()
        after_it = run_by_key(database, run.key)
        assert (after_it.state, present(after_it.queueing.not_before_at) > present(after_it.execution.started_at)) == (
            State.QUEUED,
            True,
        )
        assert not folder.log(1).exists(), "a second child was started"


@pytest.mark.parametrize(("saves_memory", "expected"), [(0, State.QUEUED), (1, State.FAILED)])
def test_out_of_memory_is_tried_once_more_with_activation_checkpointing(
    database: Database, add_run: AddRun, worker: Worker, saves_memory: int, expected: State
) -> None:
    run = add_run("shortage")
    database.execute("UPDATE runs SET saves_memory = ? WHERE key = ?", (saves_memory, run.key))
    worker.round()
    [work] = worker.children.values()
    process_of(work).wait()
    worker.stopping = True  # so that the next attempt is not started here
    worker.round()
    run = run_by_key(database, run.key)
    assert (run.state, run.execution.saves_memory) == (expected, 1)
    if expected is State.QUEUED:
        assert "with activation checkpointing" in transitions(database, run.key)[-1].reason
    else:
        assert run.execution.failure == "Out of memory: needed 9 GiB, 1 GiB is free."


def test_a_living_child_of_a_dead_worker_is_adopted_with_its_slot(
    database: Database, add_run: AddRun, worker: Worker, stand_in_child: tuple[str, ...], said: Any
) -> None:
    run, waiting = add_run("wait"), add_run("finish")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
    heir = Worker(database, [SLOT], said.append, stand_in_child)
    heir.round()
    assert run_by_key(database, run.key).execution.worker == heir.key
    assert any("adopted on cpu" in line for line in said)
    for _ in range(3):
        heir.round()
    assert run_by_key(database, waiting.key).state is State.QUEUED, "its slot is taken"
    pause(database, run)
    run_until(heir, lambda: run_by_key(database, run.key).state is State.PAUSED)
    run_until(heir, lambda: run_by_key(database, waiting.key).state is State.FINISHED)
    assert "adopted by worker" in " ".join(each.reason for each in transitions(database, run.key))


def test_an_attempt_that_was_declared_dead_cannot_begin_any_more(
    database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]
) -> None:
    add_run("finish")
    run = claim_next(database, None, "cpu")
    folder = folder_of(database, present(run))
    folder.create(
        RunOrder(
            run_id=present(run).id, name=present(run).name, attempt=present(run).attempt, data="toy", extra_data_file=""
        ),
        present(run).submission.recipe_json,
    )
    assert declare_dead(database, present(run), "its worker was killed before it started it").state is State.QUEUED
    late = subprocess.run([*stand_in_child, str(folder.path), "1"], capture_output=True, check=False)
    assert late.returncode == 4
    assert folder.events(1).read_bytes() == b""
