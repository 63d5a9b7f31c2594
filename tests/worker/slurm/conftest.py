"""A worker whose runs are jobs of a Slurm that is not there; see `fixtures/stand_ins/fake_slurm.py`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import COMMANDS, FAKE, FakeSlurm

from bertmt.launchers.slurm.launcher import SlurmLauncher
from bertmt.launchers.slurm.settings import SlurmSettings
from bertmt.registry.database import Database
from bertmt.worker.worker import Worker


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlurm]:
    folder, programs = tmp_path / "slurm", tmp_path / "programs"
    (folder / "jobs").mkdir(parents=True)
    programs.mkdir()
    for name in COMMANDS:
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" {name} "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("FAKE_SLURM", str(folder))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    yield FakeSlurm(folder)
    for path in (folder / "jobs").glob("*.pid"):
        with suppress(ProcessLookupError):
            if not path.with_suffix(".code").exists():
                os.kill(int(path.read_text()), 9)


@pytest.fixture
def slurm_worker(
    slurm: FakeSlurm, database: Database, stand_in_child: tuple[str, ...], said: list[Any]
) -> Callable[..., Worker]:
    """Makes a worker, with settings of Slurm's."""

    def made(**settings: Any) -> Worker:
        launcher = SlurmLauncher(SlurmSettings(poll_seconds=0.1, **settings), stand_in_child)
        return Worker(database, launcher.slots(), said.append, launcher=launcher)

    return made
