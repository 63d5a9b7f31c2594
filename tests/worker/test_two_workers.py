"""Workers side by side, and one that comes after another."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from call_types import AddRun
from present import present
from worker_rounds import WORKER_THAT_DRAINS, run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs, run_by_key, transitions
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.control import cancel
from bertmt.worker.worker import Worker

SLOT = DeviceSlot("cpu", "cpu", 1)


def test_two_workers_share_the_queue_and_no_run_is_worked_twice(
    database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]
) -> None:
    for index in range(8):
        add_run(f"finish-{index}")
    command = [sys.executable, "-c", WORKER_THAT_DRAINS, str(database.path), *stand_in_child]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in both]
    runs = all_runs(database)
    assert Counter(run.state for run in runs) == {State.FINISHED: 8}
    assert {run.attempt for run in runs} == {1}
    assert all("finished" in text for text in printed), "one worker did all of the work"


def test_a_killed_worker_leaves_its_child_running_and_the_next_one_settles_it(
    database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]
) -> None:
    run = add_run("wait")
    command = [sys.executable, "-c", WORKER_THAT_DRAINS, str(database.path), *stand_in_child]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while run_by_key(database, run.key).progress.step != 19:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).state is State.RUNNING, "its child is alive"
    os.kill(present(present(run_by_key(database, run.key).progress.started).pid), signal.SIGKILL)
    while run_by_key(database, run.key).state is State.RUNNING:
        assert time.monotonic() < deadline
        ingest_running(database, silent_only=False)
    assert [each.state_after for each in transitions(database, run.key)[-2:]] == ["lost", "queued"]
    assert Path(folder_of(database, run).log(1)).read_text().startswith("started")


def test_a_cancelled_run_whose_worker_is_gone_is_stopped_by_the_next_worker(
    database: Database, add_run: AddRun, worker: Worker, stand_in_child: tuple[str, ...]
) -> None:
    run = add_run("wait")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    database.execute("UPDATE workers SET process_start = 'a process that is gone'")
    cancel(database, run_by_key(database, run.key))
    next_worker = Worker(database, [SLOT], lambda line: None, stand_in_child)
    run_until(next_worker, lambda: run_by_key(database, run.key).state is not State.RUNNING)
    assert run_by_key(database, run.key).state is State.CANCELLED
