"""The worker with children that do not train: what becomes of a run, however its child ends."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from worker_rounds import run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.errors import DamagedRegistryError, NotFoundError
from bertmt.registry import metrics
from bertmt.registry.claims import claim_next
from bertmt.registry.database import sqlite3
from bertmt.registry.runs import all_runs, moves, run_by_key
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


def test_a_run_is_trained_to_its_end_and_imported(database, add_run, worker):
    run = add_run("finish")
    worker.work(drain=True)
    run = run_by_key(database, run.key)
    assert run.state is State.FINISHED
    assert (run.scores.sst, run.scores.selected_epoch, run.progress.step) == (0.7, 1, 20)
    points = metrics.read(database, run.key, ["loss/sst", "gradient_norm"])
    assert [step for step, _ in points["loss/sst"]] == list(range(20))
    assert {value for _, value in points["gradient_norm"]} == {None}
    assert [move.state_after for move in moves(database, run.key)] == ["queued", "running", "finished"]


def test_a_failed_run_keeps_its_error_and_the_queue_goes_on(database, add_run, worker):
    failed, finished = add_run("fail"), add_run("finish")
    worker.work(drain=True)
    assert run_by_key(database, failed.key).state is State.FAILED
    assert "ValueError" in run_by_key(database, failed.key).execution.failure
    assert run_by_key(database, finished.key).state is State.FINISHED


def test_a_child_that_ends_without_a_last_event_fails_with_its_last_log_line(database, add_run, worker):
    run = add_run("crash")
    worker.work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.execution.failure) == (State.FAILED, "SomeError: it broke")


def test_a_killed_child_makes_its_run_lost_and_it_is_tried_once_more(database, add_run, worker):
    run = add_run("die")
    worker.work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.attempt, run.queueing.recoveries) == (State.LOST, 2, 1)
    path = [(move.state_after, move.owner) for move in moves(database, run.key)]
    assert path == [
        ("queued", "person"), ("running", "claim"), ("lost", "death"),
        ("queued", "death"), ("running", "claim"), ("lost", "death"),
    ]  # fmt: skip
    assert "SIGKILL" in moves(database, run.key)[-1].reason


def test_a_recipe_may_forbid_that_a_lost_run_goes_on_by_itself(database, add_run, worker):
    run = add_run("die", requeue_lost=False)
    worker.work(drain=True)
    assert (run_by_key(database, run.key).state, run_by_key(database, run.key).attempt) == (State.LOST, 1)


def test_a_run_that_a_person_queues_again_may_be_lost_once_more(database, add_run, worker, stand_in_child):
    run = add_run("die")
    worker.work(drain=True)
    requeue(database, run_by_key(database, run.key))
    Worker(database, [SLOT], lambda line: None, stand_in_child).work(drain=True)
    assert (run_by_key(database, run.key).state, run_by_key(database, run.key).attempt) == (State.LOST, 4)


def test_a_cancelled_running_run_is_stopped(database, add_run, worker):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    cancel(database, run_by_key(database, run.key))
    run_until(worker, lambda: not worker.children)
    assert run_by_key(database, run.key).state is State.CANCELLED


def test_a_stopped_worker_puts_its_runs_back_into_the_queue(database, add_run, worker):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    worker.stopping = True
    worker.work(drain=False)
    assert run_by_key(database, run.key).state is State.QUEUED


def test_a_worker_that_is_asked_to_stop_puts_its_runs_back_and_ends(database, add_run, worker):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    stop_worker(database, find_worker(database, worker.key))
    worker.work(drain=False)
    assert run_by_key(database, run.key).state is State.QUEUED
    with pytest.raises(NotFoundError):
        find_worker(database, worker.key)


def test_a_worker_that_is_asked_to_drain_works_what_waits_and_ends(database, add_run, worker):
    runs = [add_run("finish"), add_run("finish")]
    drain_worker(database, find_worker(database, worker.key))
    worker.work(drain=False)
    assert {run_by_key(database, run.key).state for run in runs} == {State.FINISHED}


def test_a_worker_that_was_started_to_drain_says_so_in_the_registry(database, stand_in_child):
    worker = Worker(database, [SLOT], lambda line: None, stand_in_child)
    worker.work(drain=True)
    assert request_of(database, worker.key) == "drain"
    other = Worker(database, [SLOT], lambda line: None, stand_in_child)
    other.draining = True
    ask(database, other.key, "go on")
    other.round()
    assert request_of(database, other.key) == "drain"


def test_a_draining_worker_does_not_wait_for_a_held_queue_and_says_so(database, add_run, stand_in_child):
    waiting, said = add_run("finish"), []
    hold_queue(database)
    Worker(database, [SLOT], said.append, stand_in_child).work(drain=True)
    assert run_by_key(database, waiting.key).state is State.QUEUED
    assert said == ["The queue is held: 1 queued; `bertmt release --queue` lets them start."]


def test_a_held_queue_lets_what_runs_come_to_its_end(database, add_run, worker):
    running, waiting = add_run("finish"), add_run("finish")
    worker.round()
    hold_queue(database)
    worker.work(drain=True)
    assert [run_by_key(database, run.key).state for run in (running, waiting)] == [State.FINISHED, State.QUEUED]


def test_a_folder_that_cannot_be_read_hinders_no_other_run_and_no_request(database, add_run, stand_in_child):
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
def test_what_is_asked_of_a_run_without_any_worker_reaches_its_child(database, add_run, worker, verb, state):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    stop_orphans(database, [verb(database, run)])
    [work] = worker.children.values()
    assert work.child.process.poll() is None, "its worker does it"
    database.execute("UPDATE workers SET ended_at = heartbeat_at")
    stop_orphans(database, [run_by_key(database, run.key)])
    end_of_its_child(worker)
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is state


def test_a_worker_gives_up_a_damaged_registry_and_leaves_its_children(database, add_run, worker, monkeypatch):
    monkeypatch.setattr("bertmt.worker.worker.TROUBLE_SECONDS", 0)
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)

    def damaged():
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(worker, "round", damaged)
    with pytest.raises(DamagedRegistryError, match="bertmt repair"):
        worker.work(drain=False)
    [work] = worker.children.values()
    assert work.child.process.poll() is None
    work.child.process.kill()
    work.child.process.wait()


def test_a_worker_that_waits_for_a_time_says_so_once(database, add_run):
    run, said = add_run("later"), []
    database.execute("UPDATE runs SET not_before_at = '2099-01-01T00:00:00+00:00'")
    draining = Draining(database, [SLOT], said.append)
    assert not draining.nothing_comes(None) and not draining.nothing_comes(None)
    assert len(said) == 1 and f"{run.id} not before 2099-01-01" in said[0]


def test_an_attempt_from_the_beginning_shows_nothing_of_the_one_before(database, add_run, worker):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    work.child.process.kill()
    run_until(worker, lambda: run_by_key(database, run.key).attempt == 2)
    assert run_by_key(database, run.key).progress.step is None
    worker.stopping = True
    worker.work(drain=False)


def end_of_its_child(worker):
    [work] = worker.children.values()
    work.child.process.wait()


def test_a_run_that_ended_and_was_removed_before_the_next_look_frees_its_slot(database, add_run, worker):
    run, other = add_run("finish"), add_run("finish")
    worker.round()
    end_of_its_child(worker)
    removal.delete(database, run)
    worker.work(drain=True)
    assert run_by_key(database, other.key).state is State.FINISHED


def test_an_attempt_that_another_worker_has_begun_is_left_alone(database, add_run, worker, stand_in_child):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    work.child.signal(signal.SIGTERM)
    work.child.process.wait()
    ingest_running(database, silent_only=False)
    other = Worker(database, [SLOT], lambda line: None, stand_in_child)
    run_until(other, lambda: run_by_key(database, run.key).attempt == 2)
    worker.round()
    run = run_by_key(database, run.key)
    assert (run.attempt, run.state, worker.children) == (2, State.RUNNING, {})
    other.stopping = True
    other.work(drain=False)


def test_who_waited_for_the_lock_declares_no_later_attempt_dead(database, add_run, worker, monkeypatch):
    run = add_run("die", requeue_lost=False)
    worker.round()
    end_of_its_child(worker)
    first = run_by_key(database, run.key)
    declare_dead(database, first, "killed")
    requeue(database, first)
    claim_next(database, None, "cpu")
    monkeypatch.setattr(reconciling, "ingest", lambda database, run: first)
    assert declare_dead(database, first, "killed").state is State.RUNNING


def test_a_second_attempt_replaces_the_first_ones_points(database, add_run, worker, stand_in_child):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    worker.stopping = True
    worker.work(drain=False)
    database.execute("UPDATE runs SET name = 'finish' WHERE key = ?", (run.key,))
    Worker(database, [SLOT], lambda line: None, stand_in_child).work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.attempt) == (State.FINISHED, 2)
    assert len(metrics.read(database, run.key, ["loss/sst"])["loss/sst"]) == 20


def test_events_are_imported_and_the_end_seen_without_any_worker(database, add_run, worker):
    run = add_run("finish")
    worker.round()
    [work] = worker.children.values()
    work.child.process.wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.FINISHED


def test_a_run_whose_worker_and_child_were_killed_is_lost_not_running(database, add_run, worker):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    work.child.process.kill()
    work.child.process.wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.RUNNING, "its worker is there and will settle it"
    database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
    ingest_running(database, silent_only=False)
    assert [each.state_after for each in moves(database, run.key)[-2:]] == ["lost", "queued"]


def test_a_cancelled_run_that_ends_without_its_worker_is_cancelled_not_lost(database, add_run, worker):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    [work] = worker.children.values()
    cancel(database, run_by_key(database, run.key))
    database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
    work.child.process.kill()
    work.child.process.wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.CANCELLED


def test_a_run_that_cannot_be_started_fails_and_the_worker_goes_on(database, add_run, worker):
    blocked, finished = add_run("finish"), add_run("finish")
    folder = folder_of(database, blocked).path
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    worker.work(drain=True)
    assert run_by_key(database, blocked.key).state is State.FAILED
    assert run_by_key(database, finished.key).state is State.FINISHED


TWO_WORKERS = """
import sys
from pathlib import Path
from bertmt.devices.slots import DeviceSlot
from bertmt.worker.draining import Draining
from bertmt.worker.worker import Worker
from bertmt.registry.file.opening import open_registry
with open_registry(Path(sys.argv[1])) as database:
    Worker(database, [DeviceSlot("cpu", "cpu", 1)], print, sys.argv[2:]).work(drain=True)
"""


def test_two_workers_share_the_queue_and_no_run_is_worked_twice(database, add_run, stand_in_child):
    for index in range(8):
        add_run(f"finish-{index}")
    command = [sys.executable, "-c", TWO_WORKERS, str(database.path), *stand_in_child]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in both]
    runs = all_runs(database)
    assert Counter(run.state for run in runs) == {State.FINISHED: 8}
    assert {run.attempt for run in runs} == {1}
    assert all("finished" in text for text in printed), "one worker did all of the work"


def test_a_killed_worker_leaves_its_child_running_and_the_next_one_settles_it(database, add_run, stand_in_child):
    run = add_run("wait")
    command = [sys.executable, "-c", TWO_WORKERS, str(database.path), *stand_in_child]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while run_by_key(database, run.key).progress.step != 19:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.RUNNING, "its child is alive"
    os.kill(run_by_key(database, run.key).progress.started.pid, signal.SIGKILL)
    while run_by_key(database, run.key).state is State.RUNNING:
        assert time.monotonic() < deadline
        ingest_running(database, silent_only=False)
    assert [each.state_after for each in moves(database, run.key)[-2:]] == ["lost", "queued"]
    assert Path(folder_of(database, run).log(1)).read_text().startswith("started")


def test_a_cancelled_run_whose_worker_is_gone_is_stopped_by_the_next_worker(database, add_run, worker, stand_in_child):
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    database.execute("UPDATE workers SET process_start = 'a process that is gone'")
    cancel(database, run_by_key(database, run.key))
    next_worker = Worker(database, [SLOT], lambda line: None, stand_in_child)
    run_until(next_worker, lambda: run_by_key(database, run.key).state is not State.RUNNING)
    assert run_by_key(database, run.key).state is State.CANCELLED
