"""Which checkpoint counts: the newest that is what was written; what cannot be judged is neither used nor deleted."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import DataError
from bertmt.run_folder import checkpoints
from bertmt.run_folder.checkpoints import Checkpoints


def add(store: Checkpoints, content: bytes) -> Path:
    return store.write({"state": lambda path: path.write_bytes(content)}, 1).path


@pytest.fixture
def store(tmp_path: Path) -> Checkpoints:
    store = Checkpoints(tmp_path / "checkpoints")
    add(store, b"older"), add(store, b"newest")
    return store


def newest(store: Checkpoints) -> tuple[bytes | None, list[tuple[str, str]]]:
    told = []
    found = store.newest_intact(lambda path, why: told.append((path.name, why)))
    return (found.read("state") if found else None), told


def of_another_format(path: Path) -> None:
    manifest = path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 2}))


def test_a_damaged_one_is_told_and_deleted_and_the_one_before_it_counts(store: Checkpoints) -> None:
    (store.folder / "000002" / "state").write_bytes(b"newezt")
    assert newest(store) == (b"older", [("000002", "state is not what was written")])
    assert not (store.folder / "000002").exists()


@pytest.mark.parametrize("name", ["state", "manifest.json"])
def test_one_that_lacks_a_file_is_damaged(store: Checkpoints, name: str) -> None:
    (store.folder / "000002" / name).unlink()
    assert newest(store) == (b"older", [("000002", f"{name} is missing")])


def test_one_of_another_format_is_passed_over_and_stays(store: Checkpoints) -> None:
    of_another_format(store.folder / "000002")
    assert newest(store) == (b"older", [("000002", "is of format 2, and this bertmt reads 1")])
    assert (store.folder / "000002" / "state").is_file()


def test_new_ones_push_out_only_those_of_this_version(store: Checkpoints) -> None:
    of_another_format(store.folder / "000002")
    add(store, b"third"), add(store, b"fourth")
    assert sorted(path.name for path in store.folder.iterdir()) == ["000002", "000003", "000004"]


def test_nothing_is_thrown_away_for_a_version_or_a_disk_that_cannot_read_it(
    store: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_another_format(store.folder / "000002")
    real = checkpoints.read_json  # type: ignore[attr-defined]  # its own name for it

    def read_json(path: Any) -> Any:
        if path.parent.name == "000001":
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    monkeypatch.setattr(checkpoints, "read_json", read_json)
    with pytest.raises(DataError, match=r"000002 is of format 2.*--from-start"):
        newest(store)
    monkeypatch.undo()
    assert newest(store)[0] == b"older"


def test_without_any_there_is_none(store: Checkpoints) -> None:
    store.delete()
    assert newest(store) == (None, [])
