"""Settings of Slurm's: from a table, from the command line, and as options of sbatch."""

from pathlib import Path

import pytest

from bertmt.errors import UsageError
from bertmt.launchers.choosing import chosen_launcher
from bertmt.launchers.slurm.script import is_unsure, sbatch_command, script
from bertmt.launchers.slurm.settings import SlurmSettings, read_settings


def test_the_command_line_wins_over_the_table() -> None:
    found = read_settings({"partition": "gpu", "time": 60, "cpus": 4, "poll_seconds": 5}, ["partition=debug", "cpus=2"])
    assert (found.partition, found.time, found.cpus, found.poll_seconds) == ("debug", "60", 2, 5.0)
    assert found.options() == ["--partition=debug", "--time=60", "--cpus-per-task=2"]


@pytest.mark.parametrize(
    ("table", "told", "words"),
    [
        ({"partitoin": "x"}, [], "there is no setting 'partitoin' of Slurm; there are partition, account"),
        ({"cpus": "four"}, [], "cpus takes a whole number, not 'four'"),
        ({"cpus": True}, [], "cpus takes a whole number, not True"),
        ({"max_jobs": 0}, [], "max_jobs is at least 1, not 0"),
        ({"poll_seconds": float("nan")}, [], "poll_seconds is at least 0.1, not nan"),
        ({"mem": "16G\x1b[2J"}, [], "mem holds characters that cannot be printed"),
        ({}, ["partition"], "expected KEY=VALUE"),
        ({}, ["max_jobs=many"], "--set: max_jobs takes a whole number, not 'many'"),
        ("fast", [], "is a table"),
    ],
)
def test_what_is_no_setting_is_refused_in_a_sentence(table: object, told: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_settings(table, told)
    assert words in str(caught.value)


def test_an_unknown_launcher_and_settings_without_one_are_refused() -> None:
    with pytest.raises(UsageError, match="no launcher 'pbs'; there are local and slurm"):
        chosen_launcher("pbs", {}, [])
    with pytest.raises(UsageError, match="add --launcher slurm"):
        chosen_launcher("local", {}, ["partition=gpu"])
    with pytest.raises(UsageError, match="max_jobs"):
        chosen_launcher("slurm", {}, [], slots=4)


def test_a_slot_for_each_job_of_the_device_that_slurm_gives() -> None:
    _, slots = chosen_launcher("slurm", {"slurm": {"max_jobs": 2, "gres": "gpu:1", "cpus": 3}}, [])
    assert [slot.name for slot in slots] == ["gpu-job-1", "gpu-job-2"]
    assert {(slot.device, slot.threads) for slot in slots} == {("gpu", 3)}


def test_a_script_has_the_users_lines_first_and_quotes_what_needs_it() -> None:
    text = script(Path("/runs/it's here"), 2, SlurmSettings(setup="module load cuda", cpus=2), ("python", "-m", "x"))
    lines = text.splitlines()
    assert (lines[0], lines[1]) == ("#!/bin/bash", "module load cuda")
    assert lines[-1] == """exec srun --ntasks=1 --cpus-per-task=2 python -m x '/runs/it'"'"'s here' 2"""
    assert "export OMP_NUM_THREADS=2 MKL_NUM_THREADS=2" in lines


def test_percent_signs_of_a_path_are_no_pattern_of_sbatch() -> None:
    command = sbatch_command("n", Path("/runs/100%j"), Path("/runs/100%j/log"), SlurmSettings())
    assert {"--chdir=/runs/100%%j", "--output=/runs/100%%j/log", "--no-requeue", "--signal=TERM@60"} <= set(command)


def test_only_answers_that_leave_it_open_are_asked_again() -> None:
    assert is_unsure("Batch job submission failed: Socket timed out on send/recv operation")
    assert is_unsure("Batch job submission failed: Unable to contact slurm controller (connect failure)")
    assert not is_unsure("Batch job submission failed: Invalid partition name specified")
    assert not is_unsure("Batch job submission failed: Job violates accounting/QOS policy (job submit limit)")
