"""What takes room for nothing: found without a change, freed without touching what is at work."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from present import present
from registry_builder import RegistryBuilder

from bertmt import paths
from bertmt.errors import DataError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, forget, removed_runs
from bertmt.run_folder.layout import RunFolder, hold_alive
from bertmt.services.ingest.import_run import import_run
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle import removal
from bertmt.services.upkeep import garbage
from bertmt.services.upkeep.garbage import Kind, find_garbage, free

DAY = 86_400.0


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[RegistryBuilder]:
    made = RegistryBuilder(tmp_path / "runs.db")
    yield made
    made.database.close()


@pytest.fixture
def registry(builder: RegistryBuilder) -> Database:
    return builder.database


def age(path: Any, seconds: float) -> None:
    """Let a file or a folder look as if nobody had written it for so long."""
    for each in (*path.rglob("*"), path):
        os.utime(each, (time.time() - seconds,) * 2)


def add_checkpoint(registry: Database, run: Run, size: int = 1000) -> Path:
    place = folder_of(registry, run).checkpoints(run.submission.checkpoint_dir).folder / "000001"
    place.mkdir(parents=True)
    (place / "state").write_bytes(b"x" * size)
    return place.parent


def kinds(registry: Database) -> list[Any]:
    return sorted(item.kind for item in find_garbage(registry))


def files(folder: Path) -> dict[Any, Any]:
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if not {"runs.db-", "backups"} & {path.name[:8], *path.parts}
    }


@pytest.fixture
def everything(builder: RegistryBuilder, registry: Database, tmp_path: Path) -> dict[Any, Any]:
    """One thing of each kind; by kind, where it lies."""
    removed, finished, orphan = (builder.finished(name) for name in ("removed", "finished", "orphan"))
    removal.delete(registry, removed)
    alone = folder_of(registry, orphan).path
    saved = tmp_path / "saved"
    alone.rename(saved)
    forget(registry, orphan.key)
    removal.delete_folder(registry, orphan)
    saved.rename(alone)
    age(alone, 2 * DAY)
    leftover = folder_of(registry, finished).path / ".run.json.0123456789ab"
    leftover.write_text("half")
    age(leftover, DAY)
    return {
        Kind.REMOVED: folder_of(registry, removed).path,
        Kind.CHECKPOINTS: add_checkpoint(registry, finished),
        Kind.FOLDER: alone,
        Kind.LEFTOVER: leftover,
    }


def test_each_kind_is_found_and_looking_changes_nothing(registry: Database, everything: Any, tmp_path: Path) -> None:
    before = files(tmp_path), registry.execute("SELECT * FROM runs").fetchall()
    found = find_garbage(registry)
    assert {item.kind: item.path for item in found} == everything
    assert all(item.size_bytes > 0 for item in found)
    assert (files(tmp_path), registry.execute("SELECT * FROM runs").fetchall()) == before


def test_what_is_freed_is_gone_and_the_rest_is_there(registry: Database, everything: Any) -> None:
    [kept] = all_runs(registry)
    freed = free(registry, find_garbage(registry))
    assert freed.kept == () and freed.size_bytes >= sum(item.size_bytes for item in freed.items) > 0
    assert not any(path.exists() for path in everything.values())
    assert find_garbage(registry) == [] and removed_runs(registry) == []
    assert all_runs(registry) == [kept] and folder_of(registry, kept).recipe.is_file()


def test_nothing_in_a_folder_whose_lock_is_held_is_touched(registry: Database, everything: Any, tmp_path: Path) -> None:
    found = find_garbage(registry)
    locks = [hold_alive(RunFolder(path)) for path in (tmp_path / "runs").iterdir()]
    before = files(tmp_path)
    freed = free(registry, found)
    assert freed.items == () and {item.kind for item, _ in freed.kept} == set(Kind) - {Kind.TOKENS}
    assert files(tmp_path) == before
    assert Kind.FOLDER not in kinds(registry)
    for lock in locks:
        lock.close()


def test_a_run_that_was_brought_back_meanwhile_stays(registry: Database, everything: Any) -> None:
    [item] = [item for item in find_garbage(registry) if item.kind is Kind.REMOVED]
    removal.restore_all(registry, [present(item.run).id])
    freed = free(registry, [item])
    assert "changed in the meantime" in freed.kept[0][1] and item.path.is_dir()


def test_a_run_that_is_brought_back_at_the_last_moment_stays(
    registry: Database, everything: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [item] = [item for item in find_garbage(registry) if item.kind is Kind.REMOVED]
    real = garbage.hold_alive  # type: ignore[attr-defined]  # its own name for it

    def hold(folder: Any) -> IO[bytes]:
        removal.restore_all(registry, [present(item.run).id])
        return real(folder)

    monkeypatch.setattr(garbage, "hold_alive", hold)
    assert "changed in the meantime" in free(registry, [item]).kept[0][1]
    assert all_runs(registry, "runs.key = ?", (present(item.run).key,)) and item.path.is_dir()


def test_a_folder_whose_run_was_imported_meanwhile_stays(registry: Database, everything: Any) -> None:
    [item] = [item for item in find_garbage(registry) if item.kind is Kind.FOLDER]
    run = import_run(registry, item.path)
    assert "changed in the meantime" in free(registry, [item]).kept[0][1]
    assert folder_of(registry, run).path.is_dir()


@pytest.mark.parametrize("how", ["link", "pipe", "another name"])
def test_a_folder_with_a_strange_lock_is_left_alone_and_what_it_leads_to(
    registry: Database, everything: Any, tmp_path: Path, how: str
) -> None:
    precious, alive = tmp_path / "thesis.tex", everything[Kind.FOLDER] / "alive"
    precious.write_text("a sentence that is longer than the number of a process")
    alive.unlink(missing_ok=True)
    os.mkfifo(alive) if how == "pipe" else alive.symlink_to(precious) if how == "link" else alive.hardlink_to(precious)
    age(everything[Kind.FOLDER], 2 * DAY)
    assert Kind.FOLDER not in kinds(registry)
    with pytest.raises(DataError):
        hold_alive(RunFolder(everything[Kind.FOLDER]))
    assert precious.read_text().startswith("a sentence")


def test_what_is_young_or_no_run_folder_is_not_taken(
    registry: Database, builder: RegistryBuilder, tmp_path: Path
) -> None:
    run = builder.finished("finished")
    (folder_of(registry, run).path / ".run.json.0123456789ab").write_text("being written")
    (tmp_path / ".env.0123456789ab").write_text("not ours")
    age(tmp_path / ".env.0123456789ab", DAY)
    notes = tmp_path / "runs" / "my notes"
    notes.mkdir()
    (notes / "thesis.tex").write_text("mine")
    age(notes, 30 * DAY)
    shutil.copytree(folder_of(registry, run).path, tmp_path / "runs" / "young2")
    assert find_garbage(registry) == []


def test_the_folder_of_a_killed_repair_is_found(registry: Database, tmp_path: Path) -> None:
    left = tmp_path / ".runs.db.0123456789ab-copy"
    left.mkdir()
    (left / "copy.db").write_text("half")
    age(left, DAY)
    [item] = [item for item in find_garbage(registry) if item.kind is Kind.LEFTOVER]
    free(registry, [item])
    assert item.path == left and not left.exists()


def test_leftovers_of_killed_copies_are_found(registry: Database, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    half = "backups/.runs-000007-20260101T000000Z.db.0123456789ab"
    for name in (".copy.db.0123456789ab", ".runs.db.0123456789ab-wal", half):
        (tmp_path / name).write_text("half")
        age(tmp_path / name, DAY)
    (tmp_path / "runs" / ".importing-abc234.0123456789ab").mkdir(parents=True)
    age(tmp_path / "runs" / ".importing-abc234.0123456789ab", DAY)
    assert kinds(registry) == [Kind.LEFTOVER] * 4


def test_checkpoints_elsewhere_are_freed_and_what_lies_beside_them_stays(
    registry: Database, builder: RegistryBuilder, tmp_path: Path
) -> None:
    run = builder.finished("finished")
    registry.execute("UPDATE runs SET checkpoint_dir = ?", (str(tmp_path / "scratch"),))
    [run] = all_runs(registry)
    place = add_checkpoint(registry, run)
    other = tmp_path / "scratch" / "abc234" / "000001"
    other.mkdir(parents=True)
    [item] = find_garbage(registry)
    assert (item.kind, item.path) == (Kind.CHECKPOINTS, place)
    free(registry, [item])
    assert not place.exists() and other.is_dir(), "it may be of a run of another registry"
    (place / "thesis").mkdir(parents=True)
    assert find_garbage(registry) == []


def test_checkpoints_that_are_to_be_kept_or_of_a_failed_run_stay(registry: Database, builder: RegistryBuilder) -> None:
    kept, failed = builder.finished("kept"), builder.failed("failed", "no")
    add_checkpoint(registry, kept)
    add_checkpoint(registry, failed)
    order = folder_of(registry, kept).order
    order.write_text(order.read_text().replace('"keeps_checkpoints": false', '"keeps_checkpoints": true'))
    assert find_garbage(registry) == []


def test_the_registry_becomes_smaller_where_that_is_worth_it(
    registry: Database, builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "WORTH_BYTES", 1)
    run = builder.finished("removed")
    with registry.immediate():
        registry.executemany(
            "INSERT INTO metrics VALUES (?, 1, ?, 0.5)", ((run.key, step) for step in range(100, 50_000))
        )
    registry.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = registry.path.stat().st_size
    removal.delete(registry, run)
    freed = free(registry, find_garbage(registry))
    assert freed.remark == "" and 0 < freed.registry_bytes <= before
    assert registry.path.stat().st_size < before / 2
    with open_registry(registry.path) as again:
        assert again.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_copied_registry_leaves_the_checkpoints_of_the_original(
    builder: RegistryBuilder, registry: Database, tmp_path: Path
) -> None:
    """Elsewhere, a copy's runs have the same names, and would find the original's folders under them."""
    run = builder.finished("kept")
    registry.execute("UPDATE runs SET checkpoint_dir = ?", (str(tmp_path / "scratch"),))
    [run] = all_runs(registry)
    kept = add_checkpoint(registry, run)
    registry.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(tmp_path / "runs", tmp_path / "copy" / "runs")
    shutil.copy(registry.path, tmp_path / "copy" / "runs.db")
    with open_registry(tmp_path / "copy" / "runs.db") as copy:
        assert find_garbage(copy) == []
        [same] = all_runs(copy)
        own = folder_of(copy, same).checkpoints(same.submission.checkpoint_dir)
        own.write({"state": lambda path: path.write_text("x")}, 1)
        own.delete()
        removal.delete(copy, same)
        free(copy, find_garbage(copy))
    assert list(kept.iterdir())
    assert [item.path for item in find_garbage(registry)] == [kept]


def test_tokens_that_no_run_has_used_for_a_month_can_be_freed(registry: Database) -> None:
    folder = paths.tokens_folder()
    folder.mkdir(parents=True)
    used, unused = folder / "used.npy", folder / "unused.npy"
    for path in (used, unused):
        path.write_bytes(b"x" * 1000)
    age(used, 29 * DAY)
    age(unused, 31 * DAY)
    found = find_garbage(registry)
    assert [(item.kind, item.path, item.size_bytes) for item in found] == [(Kind.TOKENS, unused, 1000)]
    free(registry, found)
    assert used.exists() and not unused.exists()
