"""The worker with children that do not train: what becomes of a run, however its child ends."""

import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from call_types import AddRun
from present import present
from worker_rounds import process_of, run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.errors import DamagedRegistryError, NotFoundError
from bertmt.registry import metrics
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database, sqlite3
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key, transitions
from bertmt.registry.states import State
from bertmt.registry.workers import ask, request_of
from bertmt.services.ingest import reconcile as reconciling
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import declare_dead, ingest_running
from bertmt.services.lifecycle import removal
from bertmt.services.lifecycle.control import cancel, pause, requeue, stop_orphans
from bertmt.services.lifecycle.hold import hold_queue
from bertmt.services.lifecycle.worker_control import drain_worker, find_worker, stop_worker
from bertmt.worker.draining import Draining
from bertmt.worker.worker import Worker

SLOT = DeviceSlot("cpu", "cpu", 1)


def test_a_run_is_trained_to_its_end_and_imported(database: Database, add_run: AddRun, worker: Worker) -> None:
    run = add_run("finish")
    worker.work(drain=True)
    run = run_by_key(database, run.key)
    assert run.state is State.FINISHED
    assert (run.score("sst"), run.scores.selected_epoch, run.progress.step) == (0.7, 1, 20)
    points = metrics.read(database, run.key, ["loss/sst", "gradient_norm"])
    assert [step for step, _ in points["loss/sst"]] == list(range(20))
    assert {value for _, value in points["gradient_norm"]} == {None}
    assert [each.state_after for each in transitions(database, run.key)] == ["queued", "running", "finished"]


def test_a_failed_run_keeps_its_error_and_the_queue_goes_on(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    failed, finished = add_run("fail"), add_run("finish")
    worker.work(drain=True)
    assert run_by_key(database, failed.key).state is State.FAILED
    assert "ValueError" in present(run_by_key(database, failed.key).execution.failure)
    assert run_by_key(database, finished.key).state is State.FINISHED


def test_a_child_that_ends_without_a_last_event_fails_with_its_last_log_line(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("crash")
    worker.work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.execution.failure) == (State.FAILED, "SomeError: it broke")


def test_a_killed_child_makes_its_run_lost_and_it_is_tried_once_more(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("die")
    worker.work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.attempt, run.queueing.recoveries) == (State.LOST, 2, 1)
    path = [(each.state_after, each.actor) for each in transitions(database, run.key)]
    assert path == [
        ("queued", "person"), ("running", "claim"), ("lost", "death"),
        ("queued", "death"), ("running", "claim"), ("lost", "death"),
    ]  # fmt: skip
    assert "SIGKILL" in transitions(database, run.key)[-1].reason


def test_a_recipe_may_forbid_that_a_lost_run_goes_on_by_itself(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("die", requeue_lost=False)
    worker.work(drain=True)
    assert (run_by_key(database, run.key).state, run_by_key(database, run.key).attempt) == (State.LOST, 1)


def test_a_run_that_a_person_queues_again_may_be_lost_once_more(
    database: Database, add_run: AddRun, worker: Worker, stand_in_child: tuple[str, ...]
) -> None:
    run = add_run("die")
    worker.work(drain=True)
    requeue(database, run_by_key(database, run.key))
    Worker(database, [SLOT], lambda line: None, stand_in_child).work(drain=True)
    assert (run_by_key(database, run.key).state, run_by_key(database, run.key).attempt) == (State.LOST, 4)


def test_a_cancelled_running_run_is_stopped(database: Database, add_run: AddRun, worker: Worker) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    cancel(database, run_by_key(database, run.key))
    run_until(worker, lambda: not worker.children)
    assert run_by_key(database, run.key).state is State.CANCELLED


def test_a_stopped_worker_puts_its_runs_back_into_the_queue(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    worker.stopping = True
    worker.work(drain=False)
    assert run_by_key(database, run.key).state is State.QUEUED


def test_a_worker_that_is_asked_to_stop_puts_its_runs_back_and_ends(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    stop_worker(database, find_worker(database, worker.key))
    worker.work(drain=False)
    assert run_by_key(database, run.key).state is State.QUEUED
    with pytest.raises(NotFoundError):
        find_worker(database, worker.key)


def test_a_worker_that_is_asked_to_drain_works_what_waits_and_ends(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    runs = [add_run("finish"), add_run("finish")]
    drain_worker(database, find_worker(database, worker.key))
    worker.work(drain=False)
    assert {run_by_key(database, run.key).state for run in runs} == {State.FINISHED}


def test_a_worker_that_drained_says_what_failed_or_was_lost_there(
    database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]
) -> None:
    said: list[str] = []
    failed, lost = add_run("fail"), add_run("die", requeue_lost=False)
    Worker(database, [SLOT], said.append, stand_in_child).work(drain=True)
    assert said[-1] == (f"Drained, with 1 failed, 1 lost: {failed.id} fail, {lost.id} die. `bertmt show RUN` says why.")
    add_run("finish")
    Worker(database, [SLOT], said.append, stand_in_child).work(drain=True)
    assert "finished" in said[-1], "what another worker lost is no news of this one"


def test_a_worker_that_was_started_to_drain_says_so_in_the_registry(
    database: Database, stand_in_child: tuple[str, ...]
) -> None:
    worker = Worker(database, [SLOT], lambda line: None, stand_in_child)
    worker.work(drain=True)
    assert request_of(database, worker.key) == "drain"
    other = Worker(database, [SLOT], lambda line: None, stand_in_child)
    other.draining = True
    ask(database, other.key, "go on")
    other.round()
    assert request_of(database, other.key) == "drain"


def test_a_draining_worker_does_not_wait_for_a_held_queue_and_says_so(
    database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]
) -> None:
    waiting = add_run("finish")
    said: list[str] = []
    hold_queue(database)
    Worker(database, [SLOT], said.append, stand_in_child).work(drain=True)
    assert run_by_key(database, waiting.key).state is State.QUEUED
    assert said == ["The queue is held: 1 queued; `bertmt release --queue` lets them start."]


def test_a_held_queue_lets_what_runs_come_to_its_end(database: Database, add_run: AddRun, worker: Worker) -> None:
    running, waiting = add_run("finish"), add_run("finish")
    worker.round()
    hold_queue(database)
    worker.work(drain=True)
    assert [run_by_key(database, run.key).state for run in (running, waiting)] == [State.FINISHED, State.QUEUED]


def test_a_folder_that_cannot_be_read_hinders_no_other_run_and_no_request(
    database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]
) -> None:
    said: list[str] = []
    worker = Worker(database, [SLOT, replace(SLOT, name="cpu-2")], said.append, stand_in_child)
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    events = folder_of(database, run).events(1)
    events.rename(events.with_suffix(".kept"))
    events.mkdir()
    other = add_run("finish")
    run_until(worker, lambda: run_by_key(database, other.key).state is State.FINISHED)
    assert sum("cannot be read" in line for line in said) == 1, "said once, not at each look"
    cancel(database, run)
    [work] = [work for work in worker.children.values() if work.run.key == run.key]
    run_until(worker, work.child.has_ended)
    events.rmdir()
    events.with_suffix(".kept").rename(events)
    run_until(worker, lambda: run_by_key(database, run.key).state is State.CANCELLED)


@pytest.mark.parametrize(("verb", "state"), [(cancel, State.CANCELLED), (pause, State.PAUSED)])
def test_what_is_asked_of_a_run_without_any_worker_reaches_its_child(
    database: Database, add_run: AddRun, worker: Worker, verb: Callable[..., Run], state: State
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    stop_orphans(database, [verb(database, run)])
    [work] = worker.children.values()
    assert process_of(work).poll() is None, "its worker does it"
    database.execute("UPDATE workers SET ended_at = heartbeat_at")
    stop_orphans(database, [run_by_key(database, run.key)])
    end_of_its_child(worker)
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is state


def test_a_worker_gives_up_a_damaged_registry_and_leaves_its_children(
    database: Database, add_run: AddRun, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.worker.worker.TROUBLE_SECONDS", 0)
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)

    def damaged() -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(worker, "round", damaged)
    with pytest.raises(DamagedRegistryError, match="bertmt repair"):
        worker.work(drain=False)
    [work] = worker.children.values()
    assert process_of(work).poll() is None
    process_of(work).kill()
    process_of(work).wait()


def test_a_worker_that_waits_for_a_time_says_so_once(database: Database, add_run: AddRun) -> None:
    run = add_run("later")
    said: list[str] = []
    database.execute("UPDATE runs SET not_before_at = '2099-01-01T00:00:00+00:00'")
    draining = Draining(database, [SLOT], said.append)
    assert not draining.nothing_comes(None) and not draining.nothing_comes(None)
    assert len(said) == 1 and f"{run.id} not before 2099-01-01" in said[0]


def test_an_attempt_from_the_beginning_shows_nothing_of_the_one_before(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    process_of(work).kill()
    run_until(worker, lambda: run_by_key(database, run.key).attempt == 2)
    assert run_by_key(database, run.key).progress.step is None
    worker.stopping = True
    worker.work(drain=False)


def end_of_its_child(worker: Worker) -> None:
    [work] = worker.children.values()
    process_of(work).wait()


def test_a_run_that_ended_and_was_removed_before_the_next_look_frees_its_slot(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run, other = add_run("finish"), add_run("finish")
    worker.round()
    end_of_its_child(worker)
    removal.delete(database, run)
    worker.work(drain=True)
    assert run_by_key(database, other.key).state is State.FINISHED


def test_an_attempt_that_another_worker_has_begun_is_left_alone(
    database: Database, add_run: AddRun, worker: Worker, stand_in_child: tuple[str, ...]
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    work.child.signal(signal.SIGTERM)
    process_of(work).wait()
    ingest_running(database, silent_only=False)
    other = Worker(database, [SLOT], lambda line: None, stand_in_child)
    run_until(other, lambda: run_by_key(database, run.key).attempt == 2)
    worker.round()
    run = run_by_key(database, run.key)
    assert (run.attempt, run.state, worker.children) == (2, State.RUNNING, {})
    other.stopping = True
    other.work(drain=False)


def test_who_waited_for_the_lock_declares_no_later_attempt_dead(
    database: Database, add_run: AddRun, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add_run("die", requeue_lost=False)
    worker.round()
    end_of_its_child(worker)
    first = run_by_key(database, run.key)
    declare_dead(database, first, "killed")
    requeue(database, first)
    claim_next(database, None, "cpu")
    monkeypatch.setattr(reconciling, "ingest", lambda database, run: first)
    assert declare_dead(database, first, "killed").state is State.RUNNING


def test_a_second_attempt_replaces_the_first_ones_points(
    database: Database, add_run: AddRun, worker: Worker, stand_in_child: tuple[str, ...]
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    worker.stopping = True
    worker.work(drain=False)
    database.execute("UPDATE runs SET name = 'finish' WHERE key = ?", (run.key,))
    Worker(database, [SLOT], lambda line: None, stand_in_child).work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.attempt) == (State.FINISHED, 2)
    assert len(metrics.read(database, run.key, ["loss/sst"])["loss/sst"]) == 20


def test_events_are_imported_and_the_end_seen_without_any_worker(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("finish")
    worker.round()
    [work] = worker.children.values()
    process_of(work).wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.FINISHED


def test_a_run_whose_worker_and_child_were_killed_is_lost_not_running(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    process_of(work).kill()
    process_of(work).wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.RUNNING, "its worker is there and will settle it"
    database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
    ingest_running(database, silent_only=False)
    assert [each.state_after for each in transitions(database, run.key)[-2:]] == ["lost", "queued"]


def test_a_cancelled_run_that_ends_without_its_worker_is_cancelled_not_lost(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    cancel(database, run_by_key(database, run.key))
    database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
    process_of(work).kill()
    process_of(work).wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.CANCELLED


def test_a_run_that_cannot_be_started_fails_and_the_worker_goes_on(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    blocked, finished = add_run("finish"), add_run("finish")
    folder = folder_of(database, blocked).path
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    worker.work(drain=True)
    assert run_by_key(database, blocked.key).state is State.FAILED
    assert run_by_key(database, finished.key).state is State.FINISHED
