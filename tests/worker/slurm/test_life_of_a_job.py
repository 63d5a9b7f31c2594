"""A run that is a job of Slurm's, from its submission to whatever ends it."""

import os
import signal
from dataclasses import replace
from datetime import timedelta

import pytest
from call_types import AddRun
from fake_cluster import FakeSlurm
from slurm_runs import MakeWorker, is_waiting, job_of, last_reason, now_of, path_of
from worker_rounds import run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.launchers.slurm import launcher as launching
from bertmt.registry.database import Database
from bertmt.registry.runs import transitions
from bertmt.registry.states import State
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Checkpointed, now
from bertmt.services.browse.run_formatting import doing, job_line
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.control import cancel, pause, resume
from bertmt.worker.worker import Worker


@pytest.fixture(autouse=True)
def _busy_runs_are_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.worker.settling.BUSY_PAUSE", timedelta(seconds=-1))


def test_a_run_is_trained_to_its_end_as_a_job(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("finish")
    slurm_worker(partition="low", time="10").work(drain=True)
    assert path_of(database, run) == ["queued", "running", "finished"]
    assert now_of(database, run).score("sst") == 0.7
    job = job_of(database, run)
    assert (job.launcher, job.handle, job.phase, job.node, job.time_limit) == ("slurm", "1", "ended", "n1", "10:00")
    [submitted] = slurm.calls("sbatch")
    assert {"--partition=low", "--time=10", "--no-requeue", f"--job-name=bertmt-{run.id}-1"} <= set(submitted.split())


def test_a_job_that_waits_says_why_in_slurms_own_word(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("finish")
    slurm.be("full")
    worker = slurm_worker()
    run_until(worker, lambda: job_of(database, run).reason == "Resources")
    waiting = now_of(database, run)
    assert doing(waiting) == "pending: Resources"
    assert job_line(waiting) == "slurm job 1, pending (Resources), time limit 10:00"
    slurm.be_no_more("full")
    run_until(worker, lambda: now_of(database, run).state is State.FINISHED)
    assert now_of(database, run).attempt == 1


def test_no_more_jobs_are_there_than_max_jobs(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    runs = [add_run("finish") for _ in range(3)]
    slurm.be("full")
    worker = slurm_worker(max_jobs=2)
    for _ in range(5):
        worker.round()
    assert [now_of(database, run).state for run in runs] == [State.RUNNING, State.RUNNING, State.QUEUED]
    assert len(slurm.calls("sbatch")) == 2


def test_a_paused_job_is_told_to_write_a_checkpoint_and_resumed_as_another(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    pause(database, now_of(database, run))
    run_until(worker, lambda: now_of(database, run).state is State.PAUSED and not worker.children)
    assert slurm.calls("scancel") == ["scancel --signal=TERM 1"]
    resume(database, now_of(database, run))
    run_until(worker, lambda: now_of(database, run).attempt == 2 and is_waiting(database, run))
    assert job_of(database, run).handle == "2"


def test_a_job_that_waits_is_taken_back_where_its_run_is_cancelled(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("finish")
    slurm.be("full")
    worker = slurm_worker()
    run_until(worker, lambda: job_of(database, run).reason == "Resources")
    cancel(database, now_of(database, run))
    run_until(worker, lambda: now_of(database, run).state is State.CANCELLED)
    slurm.be_no_more("full")
    run_until(worker, lambda: not worker.children)
    assert (slurm.calls("scancel"), now_of(database, run).attempt) == (["scancel 1"], 1)


def test_a_job_that_somebody_cancelled_in_slurm_is_not_started_again(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    os.system("scancel 1")
    run_until(worker, lambda: now_of(database, run).state is not State.RUNNING)
    for _ in range(5):
        worker.round()
    assert now_of(database, run).state is State.CANCELLED
    assert "cancelled with the scheduler's own command, job 1 on n1: CANCELLED" in last_reason(database, run)


@pytest.mark.parametrize(
    ("row", "state", "words"),
    [
        ({"state": "FAILED", "status": "36608", "preempted": "2026-11-29T14:12:21"}, State.QUEUED, "preempted, job 1"),
        ({"state": "PREEMPTED", "status": "15"}, State.QUEUED, "preempted, job 1"),
        ({"state": "FAILED", "status": "36608", "left": "0:50"}, State.FAILED, "before its first checkpoint"),
        ({"state": "TIMEOUT", "reason": "TimeLimit"}, State.FAILED, "raise `time`"),
        ({"state": "FAILED", "status": "36608"}, State.QUEUED, "stopped by SIGTERM, job 1"),
        ({"state": "OUT_OF_MEMORY"}, State.FAILED, "raise `mem`"),
        ({"state": "NODE_FAIL"}, State.QUEUED, "lost once and requeued"),
        ({"state": "FAILED", "reason": "JobLaunchFailure", "status": "9"}, State.QUEUED, "lost once and requeued"),
    ],
)
def test_what_ended_a_job_decides_what_becomes_of_its_run(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm,
    row: dict[str, str], state: State, words: str,
) -> None:  # fmt: skip
    run = add_run("wait")
    worker = slurm_worker(max_jobs=1)
    run_until(worker, lambda: is_waiting(database, run))
    os.kill(slurm.pid("1"), signal.SIGTERM)
    slurm.says("1", **row)
    slurm.be("down")  # once it has been heard, so that no other attempt begins
    ended = False
    while not ended:
        ended = slurm.ended("1")
    slurm.be_no_more("down")
    worker.stopping = True  # which leaves jobs alone, but starts none
    run_until(worker, lambda: now_of(database, run).state is not State.RUNNING)
    assert (now_of(database, run).state, now_of(database, run).attempt) == (state, 1)
    assert words in last_reason(database, run)


def test_a_node_that_does_not_answer_is_believed_to_be_dead_once_the_lock_is_free(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    slurm.says("1", state="NODE_FAIL")
    run_until(worker, lambda: job_of(database, run).reason.startswith("NODE_FAIL"))
    for _ in range(3):
        worker.round()
    assert now_of(database, run).state is State.RUNNING
    os.kill(slurm.pid("1"), signal.SIGKILL)
    run_until(worker, lambda: now_of(database, run).attempt == 2)
    assert path_of(database, run) == ["queued", "running", "lost", "queued", "running"]


def test_a_job_that_slurm_no_longer_knows_is_lost_and_goes_on_once(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    os.kill(slurm.pid("1"), signal.SIGKILL)
    slurm.forgets("1")
    run_until(worker, lambda: now_of(database, run).attempt == 2)
    lost = next(each for each in transitions(database, run.key) if each.state_after == "lost")
    assert "Slurm no longer lists it" in lost.reason


def test_accounting_tells_how_a_job_ended_that_squeue_has_forgotten(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    slurm.be("accounts", "1|CANCELLED by 1000|0:15|n1|00:10:00")
    os.kill(slurm.pid("1"), signal.SIGKILL)
    slurm.forgets("1")
    run_until(worker, lambda: now_of(database, run).state is not State.RUNNING)
    assert now_of(database, run).state is State.CANCELLED


def test_a_crash_fails_with_the_childs_own_last_line(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker
) -> None:
    run = add_run("crash")
    slurm_worker().work(drain=True)
    assert (now_of(database, run).state, now_of(database, run).execution.failure) == (
        State.FAILED, "SomeError: it broke"
    )  # fmt: skip


def test_jobs_that_die_at_once_halt_the_worker_however_long_they_waited(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    runs = [add_run("crash") for _ in range(3)]
    slurm.be("full")
    worker = slurm_worker(max_jobs=3)
    run_until(worker, lambda: all(job_of(database, run).reason == "Resources" for run in runs))
    for slot, work in worker.children.items():
        worker.children[slot] = replace(work, since=work.since - 1000)
    worker.round()
    slurm.be_no_more("full")
    run_until(worker, lambda: not worker.children)
    assert worker.guard.reason is not None and worker.guard.reason.endswith("SomeError: it broke")


def test_a_killed_child_is_lost_and_tried_once_more_in_a_job_of_its_own(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker
) -> None:
    run = add_run("die")
    slurm_worker().work(drain=True)
    assert path_of(database, run) == ["queued", "running", "lost", "queued", "running", "lost"]
    assert "job 2 on n1: killed by signal 9 (SIGKILL)" in last_reason(database, run)


def test_one_squeue_asks_for_all_jobs(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    runs = [add_run("wait") for _ in range(4)]
    worker = slurm_worker()
    run_until(worker, lambda: all(is_waiting(database, run) for run in runs))
    before = len(slurm.calls("squeue"))
    pause_all = [pause(database, now_of(database, run)) for run in runs]
    run_until(worker, lambda: all(now_of(database, run).state is State.PAUSED for run in pause_all))
    run_until(worker, lambda: not worker.children)
    assert slurm.calls("scancel") == ["scancel --signal=TERM 1 2 3 4"]
    assert all("--me" in call for call in slurm.calls("squeue")[before:])


def test_only_a_worker_of_slurm_decides_about_a_job(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, stand_in_child: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its lock is free and no process is there, as it looks from another machine: the job runs all the same."""
    run = add_run("finish")
    slurm.be("full")
    worker = slurm_worker()
    run_until(worker, lambda: job_of(database, run).reason == "Resources")
    monkeypatch.setattr("bertmt.registry.workers.is_running", lambda each: False)
    monkeypatch.setattr("bertmt.services.ingest.reconcile.START_GRACE_SECONDS", 0)
    ingest_running(database, silent_only=False)
    other = Worker(database, [DeviceSlot("cpu", "cpu", 1)], print, stand_in_child)
    other.round()
    assert (now_of(database, run).state, other.children) == (State.RUNNING, {})
    assert not folder_of(database, run).events(1).exists()


def test_a_late_job_of_an_attempt_that_was_given_up_begins_nothing(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("finish")
    slurm.be("full")
    worker = slurm_worker()
    run_until(worker, lambda: job_of(database, run).reason == "Resources")
    slurm.says("1", state="CANCELLED")
    run_until(worker, lambda: now_of(database, run).state is State.CANCELLED)
    assert folder_of(database, run).events(1).stat().st_size == 0


def test_a_refused_run_goes_back_and_the_third_refusal_halts_the_worker(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(launching, "REFUSED_POLLS", 0)
    run = add_run("finish")
    slurm.be("refuses", "Invalid partition name specified")
    worker = slurm_worker(partition="none")
    run_until(worker, lambda: worker.guard.reason is not None)
    assert now_of(database, run).state is State.QUEUED
    assert "Invalid partition name specified" in last_reason(database, run)
    assert len(slurm.calls("sbatch")) == 3


def test_a_job_that_was_taken_back_goes_on_where_its_person_changed_their_mind(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    """Slurm says that somebody cancelled it: that was the worker."""
    run = add_run("finish")
    slurm.be("full")
    worker = slurm_worker()
    run_until(worker, lambda: job_of(database, run).reason == "Resources")
    pause(database, now_of(database, run))
    run_until(worker, lambda: bool(slurm.calls("scancel")))
    resume(database, now_of(database, run))
    slurm.be_no_more("full")
    run_until(worker, lambda: now_of(database, run).state is State.FINISHED)
    assert now_of(database, run).attempt == 2


def test_where_the_child_could_not_begin_its_run_fails_with_slurms_first_line(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    lines = "slurmstepd-n1: error: execve(): no such python\nsrun: error: n1: task 0: Exited with exit code 2\n"
    folder_of(database, run).log(1).write_text(lines)
    slurm.says("1", state="FAILED", status="512")
    run_until(worker, lambda: now_of(database, run).state is State.FAILED)
    assert now_of(database, run).execution.failure == "slurmstepd-n1: error: execve(): no such python"


def test_a_run_whose_time_limit_came_goes_on_from_its_checkpoint(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm
) -> None:
    run = add_run("wait")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    EventWriter(folder_of(database, run).events(1)).write(Checkpointed(at=now(), step=12))
    os.kill(slurm.pid("1"), signal.SIGTERM)
    slurm.says("1", state="FAILED", status="36608", left="0:50")
    run_until(worker, lambda: now_of(database, run).attempt == 2)
    reason = next(each.reason for each in transitions(database, run.key) if each.state_before == "running")
    assert reason.startswith("its time limit of 10:00 was over, job 1 on n1: FAILED")
    assert reason.endswith("it resumes from step 12")


@pytest.mark.parametrize(
    ("wrote", "state", "words"),
    [(None, State.FAILED, "before its next checkpoint"), (12, State.QUEUED, "it resumes from step 12")],
)
def test_a_run_that_wrote_no_checkpoint_within_its_time_limit_has_failed(
    database: Database, add_run: AddRun, slurm_worker: MakeWorker, slurm: FakeSlurm, wrote: int | None, state: State,
    words: str,
) -> None:  # fmt: skip
    """Else it would begin anew at the same checkpoint for ever; one at the same step may hold an evaluation more."""
    run = add_run("wait-resumed")
    worker = slurm_worker()
    run_until(worker, lambda: is_waiting(database, run))
    if wrote is not None:
        EventWriter(folder_of(database, run).events(1)).write(Checkpointed(at=now(), step=wrote))
    os.kill(slurm.pid("1"), signal.SIGTERM)
    slurm.says("1", state="FAILED", status="36608", left="0:50")
    worker.stopping = True  # which leaves jobs alone, but starts none
    run_until(worker, lambda: now_of(database, run).state is not State.RUNNING)
    assert now_of(database, run).state is state and words in last_reason(database, run)
