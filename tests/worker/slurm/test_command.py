"""`bertmt worker --launcher slurm`, as it is typed."""

import subprocess
import sys
from pathlib import Path

from call_types import AddRun
from fake_cluster import FakeSlurm

from bertmt.registry.database import Database
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State


def bertmt(database: Database, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bertmt", "--db", str(database.path), "worker", *words]
    return subprocess.run(command, cwd=database.path.parent, capture_output=True, text=True, check=False)


def test_settings_come_from_the_file_and_the_command_line_and_the_job_from_both(
    database: Database, add_run: AddRun, slurm: FakeSlurm
) -> None:
    """The run is one that fails at once: its data is gone."""
    run = add_run("finish")
    database.execute("UPDATE runs SET data = '/nowhere'")
    (database.path.parent / "bertmt.toml").write_text('[launcher.slurm]\npartition = "low"\ntime = 10\n')
    ended = bertmt(database, "--launcher", "slurm", "--set", "time=5", "--set", "poll_seconds=0.2", "--drain")
    assert ended.returncode == 0, ended.stderr
    assert "Worker 1 on cpu-job-1, cpu-job-2" in ended.stdout
    [submitted] = slurm.calls("sbatch")
    assert {"--partition=low", "--time=5"} <= set(submitted.split())
    assert run_by_key(database, run.key).state is State.FAILED


def test_what_is_no_launcher_or_setting_of_one_is_refused_in_a_sentence(
    database: Database, tmp_path: Path, slurm: FakeSlurm
) -> None:
    for words, sentence in (
        (["--launcher", "pbs"], "There is no launcher 'pbs'; there are local and slurm."),
        (["--set", "time=5"], "--set is for settings of another launcher: add --launcher slurm, or leave it out."),
        (["--launcher", "slurm", "--set", "tim=5"], "--set: there is no setting 'tim' of Slurm; there are partition,"),
        (["--launcher", "slurm", "--slots", "4"], "--device and --slots are of this machine; for Slurm say"),
    ):
        ended = bertmt(database, *words, "--drain")
        assert (ended.returncode, ended.stderr.startswith(f"bertmt: {sentence}")) == (2, True), ended.stderr
