"""What Slurm's words for a job mean."""

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, fields

from bertmt.launchers.protocol import STOP, Cause, Phase, Word
from bertmt.launchers.slurm.commands import FIELDS

# slurm.schedmd.com/squeue.html, "JOB STATE CODES"; all others than these are of a job that has its node.
WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"})
ENDED = {
    "COMPLETED": Cause.ITSELF, "FAILED": Cause.ITSELF, "CANCELLED": Cause.PERSON, "PREEMPTED": Cause.PREEMPTION,
    "TIMEOUT": Cause.TIME, "DEADLINE": Cause.TIME, "OUT_OF_MEMORY": Cause.MEMORY, "NODE_FAIL": Cause.MACHINE,
    "BOOT_FAIL": Cause.MACHINE,
}  # fmt: skip
NO_REASON = frozenset({"", "None", "(null)"})
# What is no verdict on the job: its script could not be started, or was killed from outside.
NOT_LAUNCHED = "JobLaunchFailure"
# The controller looks at time limits once a minute, and may send the signal so much earlier than it was told to.
SIGNAL_IS_EARLY = 90.0
STOPPED = (128 + STOP, 128 + signal.SIGINT, -STOP)
MOST_REASON = 200  # characters


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of squeue, by FIELDS of commands.py."""

    job: str
    name: str
    state: str
    status: str
    nodes: str
    limit: str
    left: str
    preempted: str
    reason: str


def rows_of(text: str) -> Iterator[Row]:
    """The jobs that squeue lists; what is no such line is left out."""
    for line in text.splitlines():
        parts = line.split("|", len(FIELDS) - 1)
        if len(parts) == len(FIELDS):
            texts = (part.strip() for part in (*parts[:-1], parts[-1].rstrip().removesuffix("|")))
            yield Row(**dict(zip((each.name for each in fields(Row)), texts, strict=True)))


def word_of(row: Row, stop_seconds: float) -> Word:
    """What a line says of a job.

    Args:
        stop_seconds: how long before its time limit a job is told to stop.
    """
    reason = "" if row.reason in NO_REASON else row.reason[:MOST_REASON]
    if row.state in WAITING:
        return Word(row.job, Phase.PENDING, reason or row.state, row.nodes, row.limit)
    if row.state not in ENDED:
        return Word(row.job, Phase.RUNNING, "" if row.state == "RUNNING" else row.state, row.nodes, row.limit)
    code = _exit_code(row.status)
    cause = ENDED[row.state]
    if row.state == "FAILED":
        cause = _why_failed(row, code, stop_seconds)
    elif row.state == "NODE_FAIL" and _was_preempted(row):  # its node killed it before the controller expected that
        cause = Cause.PREEMPTION
    said = f"{row.state}, {reason}" if reason else row.state
    return Word(row.job, Phase.ENDED, said, row.nodes, row.limit, cause, code)


def _why_failed(row: Row, code: int | None, stop_seconds: float) -> Cause:
    """A job that stopped when it was told to has "failed" for Slurm, whoever told it."""
    killed = code in STOPPED or (code is not None and code < 0)
    if killed and _was_preempted(row):
        return Cause.PREEMPTION
    if row.reason == NOT_LAUNCHED:
        return Cause.MACHINE
    if code not in STOPPED:
        return Cause.ITSELF
    left = seconds(row.left)
    return Cause.TIME if left is not None and left <= stop_seconds + SIGNAL_IS_EARLY else Cause.ITSELF


def _was_preempted(row: Row) -> bool:
    return row.preempted not in ("", "N/A")


def words_of_accounts(text: str) -> dict[str, Word]:
    """What sacct says of jobs that have ended, by their numbers; those of which it knows no end are left out."""
    found = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 5:
            handle, said, status, node, limit = parts
            state = said.partition(" ")[0]  # "CANCELLED by 1000"
            if state in ENDED:
                found[handle] = Word(handle, Phase.ENDED, said, node, limit, ENDED[state], _exit_code(status))
    return found


def _exit_code(text: str) -> int | None:
    """As subprocess tells it, of a wait status or of "code:signal"."""
    match = re.fullmatch(r"(\d+)(?::(\d+))?", text)
    if match is None:
        return None
    if match[2] is not None:
        return -int(match[2]) if int(match[2]) else int(match[1])
    try:
        code = os.waitstatus_to_exitcode(int(match[1]))
    except ValueError:
        return None
    # srun ends with 128 and the signal that killed its process; where it was told to stop, the child itself does.
    return 128 - code if code > 128 and code not in STOPPED else code


def seconds(text: str) -> float | None:
    """Of a time as Slurm writes it, [days-][hours:]minutes:seconds; None where it is none."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if match is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
