"""Runs that pause by themselves after an epoch: what becomes of them, and how they are let go on."""

from collections.abc import Callable

import pytest
from call_types import AddRun
from present import present

from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.edits import store_request
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, run_by_key
from bertmt.registry.states import State
from bertmt.registry.workers import register
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Checkpointed, Evaluated, Started, Step, Stopped, now
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.lifecycle import control
from bertmt.services.plan.submit import Request, plan, submit

EPOCHS = {"data": "toy", "encoder": "tiny", "epochs": 4}


@pytest.fixture
def paused(database: Database) -> Callable[..., Run]:
    """`paused(after=1)`: a run that was to pause after so many epochs, whose child says that it did so.

    With a signal it is in the middle of that epoch.
    """

    def make(after: int, epoch: int | None = None, signal: str = "", request: str | None = None) -> Run:
        [run] = submit(database, plan(Request(preset="baseline", values=EPOCHS, pause_after=after)))
        run = present(claim_next(database, register(database, ["cpu"]), "cpu"))
        store_request(database, run.key, request)
        folder_of(database, run).path.mkdir(parents=True)
        events = EventWriter(folder_of(database, run).events(1))
        events.write(Started(at=now(), attempt=1, pid=1, steps_total=40, epochs_total=4))
        step = 10 * (epoch or after) - 1
        for over in range(1, (epoch or after) + (not signal)):
            scores = dict.fromkeys(run.tasks, 0.5)
            events.write(Evaluated(at=now(), epoch=over, step=10 * over, scores=scores, overall=0.5, seconds=0.1))
        events.write(Step(at=now(), step=step, epoch=epoch or after, phase="train", values={}, seconds_left=1.0))
        events.write(Checkpointed(at=now(), step=step + 1, mib=1.0, seconds=0.1))
        events.write(Stopped(at=now(), step=step + 1, signal=signal, after_epoch=None if signal else after))
        events.close()
        return ingest(database, run_by_key(database, run.key))

    return make


def test_the_child_is_told_after_which_epoch_it_pauses(database: Database, paused: Callable[..., Run]) -> None:
    assert paused(after=1).queueing.pause_after == 1


def test_a_run_that_paused_as_it_was_to_is_paused_and_goes_on_to_its_end_when_resumed(
    database: Database, paused: Callable[..., Run]
) -> None:
    run = paused(after=1)
    assert (run.state, run.progress.checkpoint_step) == (State.PAUSED, 10)
    resumed = control.resume(database, run)
    assert (resumed.state, resumed.queueing.pause_after) == (State.QUEUED, 0)


def test_one_that_a_person_paused_before_pauses_again_where_it_was_to(
    database: Database, paused: Callable[..., Run]
) -> None:
    run = paused(after=3, epoch=2, signal="SIGTERM", request="pause")
    assert (run.state, control.resume(database, run).queueing.pause_after) == (State.PAUSED, 3)


@pytest.mark.parametrize("verb", [control.resume, control.requeue])
def test_one_that_a_person_paused_in_the_middle_of_the_epoch_keeps_its_pause_after_it(
    database: Database, paused: Callable[..., Run], verb: Callable[[Database, Run], Run]
) -> None:
    run = paused(after=1, epoch=1, signal="SIGTERM", request="pause")
    assert (run.state, run.progress.epoch) == (State.PAUSED, 1)
    assert verb(database, run).queueing.pause_after == 1


def test_one_that_was_stopped_with_its_worker_waits_and_pauses_where_it_was_to(paused: Callable[..., Run]) -> None:
    run = paused(after=3, epoch=2, signal="SIGTERM")
    assert (run.state, run.queueing.pause_after) == (State.QUEUED, 3)


def test_one_that_was_cancelled_meanwhile_is_cancelled_and_requeued_to_its_end(
    database: Database, paused: Callable[..., Run]
) -> None:
    run = paused(after=1, request="cancel")
    assert run.state is State.CANCELLED
    assert control.requeue(database, run).queueing.pause_after == 0


def test_runs_of_a_registry_of_before_pause_nowhere(database: Database, add_run: AddRun) -> None:
    add_run()
    assert [run.queueing.pause_after for run in all_runs(database)] == [0]
