"""`bertmt repair`, and that a damaged registry leads to it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder
from registry_to_damage import overwrite

from bertmt.registry.file.backups import keep_backup
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs


@pytest.mark.parametrize("command", ["runs", "backup", "gc", "restore base", "import-run elsewhere", "show base"])
def test_a_damaged_registry_is_one_sentence_that_names_the_next_step(
    bertmt: Callable[..., Outcome], registry: Path, command: str
) -> None:
    registry.write_bytes(os.urandom(20_000))
    outcome = bertmt(*command.split())
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1 and "`bertmt repair`" in outcome.err and "Traceback" not in outcome.err


def test_it_says_run_by_run_what_was_saved_from_where(bertmt: Callable[..., Outcome], registry: Path) -> None:
    listed = json.loads(bertmt("runs", "--json").out)["runs"]
    # One has a name that no command gives; those that wait have no folder.
    expected = {run["id"] for run in listed if run["state"] == "finished"}
    registry.write_bytes(os.urandom(20_000))
    outcome = bertmt("repair")
    assert outcome.code == 0 and "runs-damaged-" in outcome.err and "its name is" in outcome.err
    assert {line.split()[0] for line in outcome.out.splitlines()[1:]} == expected
    assert all(line.endswith("folder") for line in outcome.out.splitlines()[1:])
    assert "Nothing is wrong" in bertmt("repair").err


def test_it_goes_back_to_the_backup_and_names_every_loss(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder
) -> None:
    with open_registry(registry) as database:
        keep_backup(database)
    since = builder.add("queued since")
    bertmt("note", "base", "typed since")
    with open_registry(registry) as database:
        [root] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_by_name'").fetchone()
        [base] = [run.id for run in all_runs(database, "runs.name = 'base'")]
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    builder.database.close()
    overwrite(registry, (root - 1) * 4096, os.urandom(4096))
    outcome = bertmt("repair")
    assert outcome.code == 0 and "from the backup of 20" in outcome.err
    assert f"(`bertmt release`): {since.id}.\n" in outcome.err and f"note of: {base} base.\n" in outcome.err
    assert any(line.split()[0] == since.id and line.endswith("damaged file") for line in outcome.out.splitlines())


def test_where_there_is_nothing_it_says_so(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("repair")
    assert outcome.code == 3 and "neither a registry" in outcome.err
    assert list(folder.iterdir()) == []
