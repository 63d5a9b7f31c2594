"""Slurm's own commands: sbatch, squeue, scancel, sacct; asked without waiting where a worker looks in each round."""

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence

from bertmt.errors import reason_of

# A controller that is restarted answers after a while; a command that has not by then has failed.
LONGEST_SECONDS = 30.0
# One line a job; the reason comes last, since it alone may be a text of a person's.
FIELDS = ("JobID", "Name", "State", "exit_code", "NodeList", "TimeLimit", "TimeLeft", "PreemptTime", "Reason")
# Ended jobs too, as long as the controller remembers them (MinJobAge, 5 minutes by default).
SQUEUE = ("squeue", "--noheader", "--me", "--states=all", f"--Format={','.join(f'{each}:|' for each in FIELDS)}")
SACCT = ("sacct", "--noheader", "--allocations", "--parsable2", "--format=JobID,State%40,ExitCode,NodeList,Timelimit")
LONGEST_COMPLAINT = 500  # characters


class Answer:
    """What a command said.

    Attributes:
        code: its exit code; None where it did not end in time.
    """

    def __init__(self, code: int | None, said: str, complaint: str):
        self.code = code
        self.said = said
        self.complaint = complaint

    @property
    def failure(self) -> str:
        """Why it failed, in one line; "": it did not."""
        if self.code == 0:
            return ""
        lines = [line.strip() for line in self.complaint.splitlines() if line.strip()]
        if self.code is None:
            return lines[-1] if lines else f"no answer within {LONGEST_SECONDS:.0f} s"
        return lines[-1][:LONGEST_COMPLAINT] if lines else f"exit code {self.code}"


class Question:
    """A command that was started, and is looked after until it has ended.

    What it writes goes to files in memory: 10,000 lines in a pipe that nobody reads would stop it, and on a full disk
    its answer would be cut, though it says that all is well.

    Attributes:
        began: when it was started, in monotonic seconds.
    """

    def __init__(self, command: Sequence[str]):
        self.command = command
        self.began = time.monotonic()
        self._out, self._err = (os.fdopen(os.memfd_create(command[0]), "w+b") for _ in range(2))  # `_end` closes them
        self._process: subprocess.Popen[bytes] | None = None
        self._problem = ""
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err)
        except OSError as problem:
            self._problem = f"{command[0]} cannot be started: {reason_of(problem)}"

    def answer(self) -> Answer | None:
        """What it said; None while it has not ended. To be asked once it has not any more."""
        if self._process is None:
            return self._end(127)
        code = self._process.poll()
        if code is not None:
            return self._end(code)
        if time.monotonic() - self.began < LONGEST_SECONDS:
            return None
        self._process.kill()
        self._process.wait()
        return self._end(None)

    def _end(self, code: int | None) -> Answer:
        texts = []
        for file in (self._out, self._err):
            with contextlib.closing(file):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace"))
        return Answer(code, texts[0], texts[1] or self._problem)


def ask(command: Sequence[str], said: str = "", seconds: float = LONGEST_SECONDS) -> Answer:
    """Start a command, give it an input, and wait for its end."""
    try:
        ended = subprocess.run(
            command, input=said.encode(), capture_output=True, timeout=seconds, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(None, "", "")
    except OSError as problem:
        return Answer(127, "", f"{command[0]} cannot be started: {reason_of(problem)}")
    return Answer(ended.returncode, ended.stdout.decode("utf-8", "replace"), ended.stderr.decode("utf-8", "replace"))
