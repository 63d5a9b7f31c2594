"""What a repair leaves behind, also where it fails."""

import os
from pathlib import Path
from typing import Any

import pytest
from present import present
from registry_to_damage import overwrite

from bertmt import paths
from bertmt.errors import RegistryError
from bertmt.services.upkeep.repair import repair

PAGE = 4096


def names(folder: Path) -> list[Any]:
    return sorted(path.name for path in folder.iterdir())


def test_the_damaged_one_is_kept_and_nothing_else_is_left(backed_up: Path) -> None:
    backed_up.write_bytes(os.urandom(3 * PAGE))
    damaged = backed_up.read_bytes()
    done = repair(backed_up)
    assert present(done.kept).read_bytes() == damaged
    assert names(backed_up.parent) == sorted(["backups", present(done.kept).name, "runs", "runs.db"])
    assert backed_up.stat().st_mode & 0o077 == 0


def test_a_failure_leaves_the_damaged_one_where_it_was(backed_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overwrite(backed_up, PAGE, os.urandom(PAGE * 3))
    before = backed_up.read_bytes(), names(backed_up.parent), names(backed_up.parent / "runs")

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bertmt.services.upkeep.repair._check", fail)
    with pytest.raises(KeyboardInterrupt):
        repair(backed_up)
    assert (backed_up.read_bytes(), names(backed_up.parent), names(backed_up.parent / "runs")) == before


def test_run_folders_that_cannot_be_read_are_said(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(registry: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(registry.parent / "runs"))

    monkeypatch.setattr(paths, "run_folders", refuse)
    with pytest.raises(RegistryError, match=r"cannot be repaired \(Permission denied: .*runs\)\.$"):
        repair(registry)
