"""A worker that is killed and started again, a controller that does not answer: no run is lost, none is run twice."""

import os
import signal
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from call_types import AddRun
from fake_cluster import FakeSlurm
from present import present
from slurm_runs import MakeWorker, is_waiting, job_of, now_of, path_of
from worker_rounds import run_until

from bertmt.launchers.slurm import launcher as launching
from bertmt.registry import workers
from bertmt.registry.database import Database
from bertmt.registry.states import State
from bertmt.services.lifecycle.control import cancel, pause, stop_orphans


@pytest.fixture(autouse=True)
def _what_is_given_up_is_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.worker.settling.BUSY_PAUSE", timedelta(seconds=-1))
    monkeypatch.setattr("bertmt.worker.worker.HEARTBEAT_SECONDS", 0.0)


def test_the_next_worker_adopts_jobs_by_their_numbers(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    first = slurm_worker()
    run_until(first, lambda: is_waiting(database, run))
    workers.end(database, first.key)  # as if it had been killed: it looks after nothing any more
    second = slurm_worker()
    run_until(second, lambda: bool(second.children))
    run_until(second, lambda: now_of(database, run).execution.worker == second.key)
    slurm.says("1", state="PREEMPTED", status="15")
    os.kill(slurm.pid("1"), signal.SIGKILL)
    run_until(second, lambda: now_of(database, run).attempt == 2)
    assert (len(slurm.calls("sbatch")), path_of(database, run)[-2:]) == (2, ["queued", "running"])


def test_a_job_whose_number_was_never_heard_is_found_by_its_name(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    first = slurm_worker()
    run_until(first, lambda: is_waiting(database, run))
    database.execute("UPDATE jobs SET handle = '', phase = '', node = ''")  # killed before it could store the answer
    workers.end(database, first.key)
    second = slurm_worker()
    run_until(second, lambda: job_of(database, run).handle == "1")
    assert (now_of(database, run).attempt, len(slurm.calls("sbatch"))) == (1, 1)


def test_an_attempt_that_never_reached_slurm_goes_back(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "LONGEST_SECONDS", 0.3)
    run = add_run("finish")
    first = slurm_worker()
    assert first._claims.take(first.slots[0]) is not None  # and is killed
    workers.end(database, first.key)
    second = slurm_worker()
    run_until(second, lambda: now_of(database, run).state is State.FINISHED)
    assert path_of(database, run) == ["queued", "running", "running", "queued", "running", "finished"]


def test_nothing_happens_while_the_controller_is_down(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, said: list[str]
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    slurm.be("down")
    run_until(worker, lambda: any("does not answer" in line for line in said))
    later = add_run("finish")
    for _ in range(3):
        worker.round()
    assert (now_of(database, run).state, now_of(database, later).attempt) == (State.RUNNING, 0)
    slurm.be_no_more("down")
    run_until(worker, lambda: now_of(database, later).state is State.FINISHED)
    assert "The scheduler answers again." in said
    assert now_of(database, run).state is State.RUNNING


def test_an_answer_of_squeue_needs_no_disk(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    """On a full one it would be cut, and the jobs behind the cut be taken for gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    run = add_run("wait")
    run_until(slurm_worker(), lambda: is_waiting(database, run))


def test_a_job_that_is_listed_again_runs_after_all(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    slurm.forgets("1")
    run_until(worker, lambda: job_of(database, run).phase == "ended")
    slurm.be_no_more("jobs/1.gone")
    run_until(worker, lambda: job_of(database, run).phase == "running")
    pause(database, now_of(database, run))
    run_until(worker, lambda: now_of(database, run).state is State.PAUSED)
    assert now_of(database, run).attempt == 1


def test_a_request_reaches_its_job_once_the_controller_is_back(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    slurm.be("down")
    pause(database, now_of(database, run))
    run_until(worker, lambda: bool(slurm.calls("scancel")))
    slurm.be_no_more("down")
    run_until(worker, lambda: now_of(database, run).state is State.PAUSED)


@pytest.mark.parametrize("words", ["Socket timed out on send/recv operation", "Unable to contact slurm controller"])
def test_a_submission_that_seemed_to_fail_but_arrived_is_not_repeated(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, words: str
) -> None:
    run = add_run("wait")
    slurm.be("unsure", words)
    worker = slurm_worker()
    run_until(worker, lambda: job_of(database, run).handle == "1")
    slurm.be_no_more("unsure")
    run_until(worker, lambda: is_waiting(database, run))
    assert (now_of(database, run).attempt, len(slurm.calls("sbatch"))) == (1, 1)


def test_a_submission_while_the_controller_is_down_is_repeated_once_it_answers(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("finish")
    slurm.be("down")
    worker = slurm_worker()
    run_until(worker, lambda: len(slurm.calls("squeue")) > 1)
    assert len(slurm.calls("sbatch")) == 1
    slurm.be_no_more("down")
    run_until(worker, lambda: now_of(database, run).state is State.FINISHED)
    assert len(slurm.calls("sbatch")) == 2


def test_jobs_go_on_where_their_worker_is_stopped(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    worker.stopping = True
    worker.work(drain=False)
    assert now_of(database, run).state is State.RUNNING
    assert (slurm.calls("scancel"), slurm.ended("1")) == ([], False)


@pytest.mark.parametrize("another_lives", [False, True])
def test_who_cancels_a_run_that_no_worker_looks_after_tells_slurm(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, another_lives: bool
) -> None:
    """A worker of this machine's processes is none that would."""
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    workers.end(database, worker.key)
    if another_lives:
        workers.register(database, ["cpu"])
    asked = cancel(database, now_of(database, run))
    stop_orphans(database, [asked])
    assert slurm.calls("scancel") == ["scancel 1"]
    second = slurm_worker()
    run_until(second, lambda: now_of(database, run).state is State.CANCELLED)
    assert present(now_of(database, run).execution.job).handle == "1"
