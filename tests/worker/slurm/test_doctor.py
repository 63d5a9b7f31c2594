"""`bertmt doctor --launcher slurm`: what it says of a cluster that is well, and of each thing that is not."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_cluster import FakeSlurm

from bertmt.launchers.slurm import checks, probe
from bertmt.services.upkeep.doctor import Check, Health, examine


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(checks, "LOOK_SECONDS", 0.05)
    return folder


def found(project: Path, launcher: str = "slurm") -> dict[str, Check]:
    """What is said of launchers, by its name."""
    every = examine(project / "runs.db", launcher)
    return {each.name: each for each in every if each.name.startswith("Slurm") or each.name == "launcher"}


def test_a_job_tells_that_the_folder_is_shared_and_versions_and_clocks_agree(project: Path, slurm: FakeSlurm) -> None:
    said = found(project)
    assert {each.state for each in said.values()} == {Health.OK}
    assert said.keys() == {"Slurm", "Slurm submits", "Slurm node", "Slurm versions", "Slurm clock"}
    assert list((project / "runs").iterdir()) == []


@pytest.mark.parametrize("launcher", ["slurm", ""])
def test_settings_that_others_may_write_are_not_followed(project: Path, slurm: FakeSlurm, launcher: str) -> None:
    """Their `setup` is shell, which would run as this user."""
    (project / "bertmt.toml").write_text("[launcher.slurm]\nsetup = 'touch here'\n")
    (project / "bertmt.toml").chmod(0o666)
    said = found(project, launcher)
    assert said.keys() == {"launcher"} and said["launcher"].state is Health.PROBLEM
    assert "all users may write it" in said["launcher"].found
    assert "Its [launcher] is not followed" in said["launcher"].found
    assert slurm.calls("sbatch") == []


def test_what_slurm_refuses_is_said_and_no_job_is_sent(project: Path, slurm: FakeSlurm) -> None:
    slurm.be("refuses", "Invalid account or account/partition combination specified")
    said = found(project)
    assert said["Slurm submits"].state is Health.PROBLEM
    assert "Invalid account" in said["Slurm submits"].found
    assert len(slurm.calls("sbatch")) == 1


def test_where_no_slurm_is_that_is_all_that_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    said = found(project)
    assert said.keys() == {"Slurm"}
    assert said["Slurm"].found.startswith("sinfo cannot be started")


def test_a_node_that_does_not_see_the_folder_is_told_of_with_what_the_job_wrote(
    project: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PROBE", ("sh", "-c", "echo bertmt: not here; exit 1"))
    said = found(project)
    assert said["Slurm node"].state is Health.PROBLEM
    assert said["Slurm node"].found == "job 1 did not answer: bertmt: not here"


def test_a_job_that_waits_for_too_long_is_taken_back(
    project: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "NODE_SECONDS", 0.5)
    slurm.be("full")
    said = found(project)
    assert said["Slurm node"].state is Health.WARNING
    assert "(pending, Resources), and was taken back" in said["Slurm node"].found
    assert slurm.calls("scancel") == ["scancel 1"]


def test_a_person_who_waits_no_longer_leaves_no_job(
    project: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm.be("full")

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "time", SimpleNamespace(sleep=interrupted, monotonic=time.monotonic))
    with pytest.raises(KeyboardInterrupt):
        found(project)
    assert slurm.calls("scancel") == ["scancel 1"]


def test_other_versions_and_another_clock_are_told_of() -> None:
    there = json.loads(json.dumps({"question": "q", **probe.told()}))
    there["versions"]["torch"] = "1.0"
    there["time"] -= 100
    versions, clock = list(checks._compared(there, "q"))[1:]
    assert (versions.state, clock.state) == ("problem", "warning")
    assert "torch 1.0 there" in versions.found
    [other] = checks._compared(there, "another question")
    assert (other.state, "sees another folder" in other.found) == ("problem", True)


def test_settings_alone_are_read_without_a_job_and_what_is_wrong_with_them_is_said(
    project: Path, slurm: FakeSlurm
) -> None:
    assert found(project, "") == {}
    (project / "bertmt.toml").write_text("[launcher.slurm]\nmax_jobs = 4\n")
    assert found(project, "")["launcher"].found == "slurm: at most 4 runs at a time"
    (project / "bertmt.toml").write_text("[launcher.slurm]\nmax_job = 4\n")
    assert found(project, "")["launcher"].state is Health.PROBLEM
    assert found(project)["launcher"].state is Health.PROBLEM
    assert slurm.calls("sbatch") == []
