"""What Slurm's words for a job mean; lines as squeue 22.05 and sacct wrote them."""

from dataclasses import replace

import pytest

from bertmt.launchers.protocol import Cause, Phase
from bertmt.launchers.slurm.words import rows_of, seconds, word_of, words_of_accounts

[ROW] = rows_of("12|bertmt-abc-1|RUNNING|0|n1|10:00|9:00|N/A|None|\n")


def test_a_line_of_squeue_is_read_whatever_its_reason_holds() -> None:
    text = "8|x|PENDING|0||1:00:00|1:00:00|N/A|Resources|\nnonsense\n9|y|RUNNING|0|n[1-2]|UNLIMITED|INVALID|N/A|a|b|\n"
    first, second = rows_of(text)
    assert (first.job, first.state, first.nodes, first.reason) == ("8", "PENDING", "", "Resources")
    assert (second.nodes, second.reason) == ("n[1-2]", "a|b")


@pytest.mark.parametrize(
    ("changed", "phase", "cause", "code"),
    [
        ({"state": "PENDING", "reason": "Resources"}, Phase.PENDING, Cause.ITSELF, None),
        ({"state": "CONFIGURING"}, Phase.PENDING, Cause.ITSELF, None),
        ({}, Phase.RUNNING, Cause.ITSELF, None),
        ({"state": "COMPLETING", "status": "36608"}, Phase.RUNNING, Cause.ITSELF, None),
        ({"state": "SUSPENDED"}, Phase.RUNNING, Cause.ITSELF, None),
        ({"state": "COMPLETED"}, Phase.ENDED, Cause.ITSELF, 0),
        ({"state": "FAILED", "status": "768", "reason": "NonZeroExitCode"}, Phase.ENDED, Cause.ITSELF, 3),
        ({"state": "FAILED", "status": str(137 << 8)}, Phase.ENDED, Cause.ITSELF, -9),
        ({"state": "FAILED", "status": "36608"}, Phase.ENDED, Cause.ITSELF, 143),
        ({"state": "FAILED", "status": "36608", "left": "1:30"}, Phase.ENDED, Cause.TIME, 143),
        (
            {"state": "FAILED", "status": "36608", "preempted": "2026-11-29T14:12:21"},
            Phase.ENDED,
            Cause.PREEMPTION,
            143,
        ),
        ({"state": "FAILED", "status": "9", "reason": "JobLaunchFailure"}, Phase.ENDED, Cause.MACHINE, -9),
        ({"state": "NODE_FAIL", "preempted": "2026-11-29T14:12"}, Phase.ENDED, Cause.PREEMPTION, 0),
        ({"state": "FAILED", "status": "9", "preempted": "2026-11-29T14:12"}, Phase.ENDED, Cause.PREEMPTION, -9),
        ({"state": "CANCELLED", "status": "15"}, Phase.ENDED, Cause.PERSON, -15),
        ({"state": "PREEMPTED", "status": "0:15"}, Phase.ENDED, Cause.PREEMPTION, -15),
        ({"state": "TIMEOUT", "reason": "TimeLimit"}, Phase.ENDED, Cause.TIME, 0),
        ({"state": "NODE_FAIL", "reason": "NodeDown"}, Phase.ENDED, Cause.MACHINE, 0),
        ({"state": "OUT_OF_MEMORY", "status": "0:125"}, Phase.ENDED, Cause.MEMORY, -125),
    ],
)
def test_a_state_says_whether_a_job_lives_and_what_ended_it(
    changed: dict[str, str], phase: Phase, cause: Cause, code: int | None
) -> None:
    word = word_of(replace(ROW, **changed), stop_seconds=60)
    assert (word.phase, word.cause, word.exit_code) == (phase, cause, code)
    assert (word.handle, word.time_limit) == ("12", "10:00")


def test_what_accounting_says_of_ended_jobs_is_read_and_of_others_left_out() -> None:
    text = "12|CANCELLED by 1000|0:15|n1|00:10:00\n13|RUNNING|0:0|n2|00:10:00\n14|FAILED|1:0|n2|UNLIMITED\nrubbish\n"
    found = words_of_accounts(text)
    assert found.keys() == {"12", "14"}
    assert (found["12"].cause, found["12"].exit_code, found["12"].reason) == (Cause.PERSON, -15, "CANCELLED by 1000")
    assert (found["14"].cause, found["14"].exit_code) == (Cause.ITSELF, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0:52", 52), ("10:00", 600), ("1:00:00", 3600), ("2-00:00:01", 172801), ("UNLIMITED", None), ("INVALID", None)],
)
def test_a_time_is_read_as_slurm_writes_it(text: str, expected: float | None) -> None:
    assert seconds(text) == expected
