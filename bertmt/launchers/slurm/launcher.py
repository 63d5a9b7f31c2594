"""The launcher of Slurm: each attempt a job, each look at all of them one `squeue`.

Through sbatch itself: submitit would do, but starts what it loads from a pickle, which bertmt does nowhere, and asks
sacct for states, which clusters without accounting do not have.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bertmt.devices.slots import CPU, DeviceSlot
from bertmt.errors import BusyError
from bertmt.launchers.protocol import KILL, STOP, Attempt, Cause, Child, Finding, Phase, RefusedError, Word
from bertmt.launchers.slurm.checks import checks_of
from bertmt.launchers.slurm.commands import LONGEST_SECONDS, SACCT, SQUEUE, Question, ask
from bertmt.launchers.slurm.script import is_unsure, job_name, sbatch_command, script
from bertmt.launchers.slurm.settings import SLURM, SlurmSettings
from bertmt.launchers.slurm.words import Row, rows_of, word_of, words_of_accounts
from bertmt.launchers.training import TRAINING_COMMAND, order_of
from bertmt.run_folder.layout import RunFolder, is_alive

GPU = "gpu"  # the device of an attempt for which Slurm chooses one
# Polls until the next submission after one that was refused: what it ran into, such as a limit of jobs, takes a while.
REFUSED_POLLS = 3
ITS_END_IS_A_GUESS = (Cause.MACHINE, Cause.GONE)


class JobChild:
    """An attempt that is a job.

    Args:
        said: what is known of it.
        missing_from: an answer of squeue that was asked for later, in monotonic seconds, and does not list the job,
            proves that it is not there.
    """

    by_lock_alone = False
    besides: tuple[str, ...] = ("srun: ", "slurmstepd")

    def __init__(self, name: str, folder: RunFolder, said: Word, missing_from: float):
        self.name = name
        self.said = said
        self.missing_from = missing_from
        self.wanted: int | None = None
        self.sent: int | None = None
        self._folder = folder

    def has_ended(self) -> bool:
        """By Slurm's word; where that is a guess, of a node that does not answer, a lock that is seen held counts."""
        if self.said.phase is not Phase.ENDED:
            return False
        return self.said.cause not in ITS_END_IS_A_GUESS or not is_alive(self._folder)

    def exit_code(self) -> int | None:
        return self.said.exit_code

    def signal(self, number: int) -> None:
        """It is sent at the launcher's next look, and again until Slurm has taken it."""
        if self.wanted != KILL:
            self.wanted = number

    def word(self) -> Word | None:
        return self.said

    def hear(self, said: Word) -> None:
        """What Slurm says now; it does not know whose scancel it was."""
        is_ours = said.cause is Cause.PERSON and self.sent is not None
        self.said = replace(said, cause=Cause.ASKED) if is_ours else said

    def to_be_told(self) -> bool:
        """Whether a signal is still to be sent."""
        return self.wanted != self.sent and bool(self.said.handle) and self.said.phase is not Phase.ENDED


def _accounts(handles: Sequence[str]) -> dict[str, Word]:
    """What Slurm's accounting says of jobs that squeue no longer lists; nothing where there is none."""
    if not handles:
        return {}
    answer = ask((*SACCT, f"--jobs={','.join(handles)}"), seconds=LONGEST_SECONDS / 3)
    return {} if answer.failure else words_of_accounts(answer.said)


class SlurmLauncher:
    """Submits attempts, and hears how they stand.

    Args:
        command: what a job executes, with the run folder and the attempt as its last arguments.
    """

    name = SLURM
    round_seconds = 1.0
    outlive_worker = True

    def __init__(self, settings: SlurmSettings, command: Sequence[str] = TRAINING_COMMAND):
        self._settings = settings
        self._command = command
        self._look: Question | None = None
        self._looked_at = float("-inf")
        self._stop: tuple[Question, dict[JobChild, int]] | None = None
        self._stopped_at = float("-inf")
        self._refused_until = float("-inf")
        self._trouble = ""

    def slots(self) -> tuple[DeviceSlot, ...]:
        """A slot for each job that may be there at a time; its name begins with the kind of its device, as all do."""
        device = GPU if self._settings.has_gpu else CPU
        names = (f"{device}-job-{number}" for number in range(1, self._settings.max_jobs + 1))
        return tuple(DeviceSlot(name, device, self._settings.cpus) for name in names)

    def is_ready(self) -> bool:
        return not self._trouble and time.monotonic() >= self._refused_until

    def trouble(self) -> str:
        return f"Slurm does not answer: {self._trouble}." if self._trouble else ""

    def launch(self, attempt: Attempt) -> Child:
        run, folder = attempt.run, attempt.folder
        if is_alive(folder):
            raise BusyError(f"The run in {folder.path} is still worked by another process.")
        order = order_of(run, CPU, self._settings.cpus)
        if self._settings.has_gpu:
            order = replace(order, device="cuda")  # the one that Slurm lets the job see
        folder.create(order, run.submission.recipe_json, run.submission.known, sources=attempt.sources)
        log = folder.log(run.attempt)
        log.touch(0o600)
        name = job_name(run.id, run.attempt)
        # Nodes may know the folder by its real path alone, where that of all runs is a link.
        place = folder.path.resolve()
        command = sbatch_command(name, place, place / log.name, self._settings)
        answer = ask(command, script(place, run.attempt, self._settings, self._command))
        number = answer.said.strip().partition(";")[0]  # "12;cluster"
        if answer.code == 0 and number.isdecimal():
            said = Word(number, Phase.PENDING, "submitted")
            return JobChild(name, folder, said, time.monotonic())
        if answer.code is None or is_unsure(answer.failure):
            self._trouble = answer.failure
            return JobChild(name, folder, Word(reason=answer.failure), time.monotonic())
        self._refused_until = time.monotonic() + REFUSED_POLLS * self._settings.poll_seconds
        raise RefusedError(f"Slurm refused it: {answer.failure or answer.said.strip()[:200]}")

    def adopt(self, attempt: Attempt) -> Child:
        run, job = attempt.run, attempt.run.execution.job
        said = Word(job.handle, Phase(job.phase), job.reason, job.node, job.time_limit) if job else Word()
        if said.phase is Phase.ENDED:  # how, only Slurm can tell
            said = replace(said, phase=Phase.RUNNING)
        # The sbatch of a worker that was killed may still be under way.
        since = time.monotonic() + (0 if said.handle else LONGEST_SECONDS)
        return JobChild(job_name(run.id, run.attempt), attempt.folder, said, since)

    def poll(self, children: Sequence[Child]) -> None:
        jobs = [child for child in children if isinstance(child, JobChild)]
        self._pass_signals_on(jobs)
        if self._look is None:
            waited = time.monotonic() - self._looked_at
            if (jobs or self._trouble) and waited >= self._settings.poll_seconds:
                self._look, self._looked_at = Question(SQUEUE), time.monotonic()
            return
        answer = self._look.answer()
        if answer is None:
            return
        began, self._look, self._trouble = self._look.began, None, answer.failure
        if not answer.failure:
            self._hear(jobs, list(rows_of(answer.said)), began)

    def _hear(self, jobs: Sequence[JobChild], rows: Sequence[Row], began: float) -> None:
        by_name = {row.name: row for row in rows}
        by_both = {(row.name, row.job): row for row in rows}
        missing = []
        for job in jobs:
            row = by_both.get((job.name, job.said.handle)) if job.said.handle else by_name.get(job.name)
            if job.said.phase is Phase.ENDED and (row is None or job.said.cause not in ITS_END_IS_A_GUESS):
                continue  # a guess is taken back where the job is listed after all
            if row is not None:
                job.hear(word_of(row, self._settings.stop_seconds))
            elif began > job.missing_from:
                missing.append(job)
        known = _accounts([job.said.handle for job in missing if job.said.handle])
        for job in missing:
            cause = Cause.GONE if job.said.handle else Cause.NEVER
            reason = "Slurm no longer lists it" if job.said.handle else job.said.reason
            unknown = replace(job.said, phase=Phase.ENDED, cause=cause, reason=reason)
            job.hear(known.get(job.said.handle, unknown))

    def _pass_signals_on(self, jobs: Sequence[JobChild]) -> None:
        """One scancel for all jobs that are to get the same signal; what fails is tried again."""
        if self._stop is not None:
            question, told = self._stop
            answer = question.answer()
            if answer is None:
                return
            self._stop = None
            if not answer.failure:
                for job, number in told.items():
                    job.sent = number
            return
        due = [job for job in jobs if job.to_be_told()]
        if not due or time.monotonic() - self._stopped_at < min(1.0, self._settings.poll_seconds):
            return
        # A job that waits has no process to tell, and one that is to die is told by Slurm in its own way.
        gently = [job for job in due if job.wanted == STOP and job.said.phase is Phase.RUNNING]
        chosen = gently or due
        options = ["--signal=TERM"] if gently else []
        told = {job: job.wanted for job in chosen if job.wanted is not None}
        self._stopped_at = time.monotonic()
        self._stop = Question(["scancel", *options, *(job.said.handle for job in chosen)]), told

    def checks(self, folder: str) -> Iterator[Finding]:
        return checks_of(Path(folder), self._settings)
