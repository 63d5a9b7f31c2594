"""A worker's program makes backups while it works."""

import os
import subprocess
import sys

import pytest
from call_types import AddRun

from bertmt.registry.database import Database
from bertmt.registry.file.backups import kept_backups
from bertmt.worker import backing_up


def test_a_worker_makes_a_backup_when_it_starts_and_finishes_it_before_it_ends(
    database: Database, add_run: AddRun
) -> None:
    add_run(state="held")
    command = [sys.executable, "-m", "bertmt.worker", "--db", str(database.path), "--drain", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert len(kept_backups(database.path)) == 1 and "backup" not in done.stdout


def test_it_works_while_the_copy_is_made(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(backing_up, "make_backups", lambda registry, say, ended_within: done.append(ended_within(60)))
    with backing_up.backups_meanwhile(database.path, print):
        assert done == [], "the thread is at work as long as the block"
    assert done == [True]
