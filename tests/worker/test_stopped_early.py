"""A child that its worker stops while its interpreter is still starting, before any handler is there."""

import signal
import sys
from collections.abc import Callable

import pytest
from call_types import AddRun
from worker_rounds import run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key, transitions
from bertmt.services.lifecycle.control import cancel, pause, resume
from bertmt.worker.worker import Worker

SLOT = DeviceSlot("cpu", "cpu", 1)


def withdraw_a_pause(worker: Worker, run: Run) -> None:
    pause(worker.database, run)
    worker.round()
    resume(worker.database, run_by_key(worker.database, run.key))


@pytest.mark.parametrize(
    ("ask_it", "state", "reason"),
    [
        (lambda worker, run: setattr(worker, "stopping", True), "queued", "stopped by SIGTERM; it starts over"),
        (lambda worker, run: pause(worker.database, run), "paused", "paused; it starts over"),
        (lambda worker, run: cancel(worker.database, run), "cancelled", "cancelled; requeued, it starts over"),
        (withdraw_a_pause, "queued", "stopped by SIGTERM; it starts over"),
        (lambda worker, run: end_by_a_stranger(worker), "lost", "killed by signal 15 (SIGTERM)"),
    ],
)
def test_a_child_that_was_stopped_before_it_could_catch_a_signal_counts_as_stopped_where_it_was_asked_to(
    database: Database, add_run: AddRun, ask_it: Callable[[Worker, Run], None], state: str, reason: str
) -> None:
    """An interpreter that is still starting dies of its worker's SIGTERM, since no handler is there."""
    worker = Worker(database, [SLOT], lambda line: None, (sys.executable, "-c", "import time; time.sleep(60)"))
    run = add_run("starting")
    database.execute("UPDATE runs SET recoveries = 1")  # so that a loss would not be mended by itself
    worker.round()
    ask_it(worker, run_by_key(database, run.key))
    run_until(worker, lambda: len(transitions(database, run.key)) > 2)  # a worker that goes on starts it once more
    end = transitions(database, run.key)[2]
    assert (end.state_before, end.state_after, end.reason) == ("running", state, reason)
    assert run_by_key(database, run.key).execution.request is None
    worker.stopping = True
    worker.work(drain=False)
    assert worker.guard.reason is None


def end_by_a_stranger(worker: Worker) -> None:
    [work] = worker.children.values()
    work.child.signal(signal.SIGTERM)
