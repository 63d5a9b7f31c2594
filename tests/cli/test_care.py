"""Care of the registry: backup, import-run, gc, restore, repair."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from bertmt.registry.database import open_registry, sqlite3
from bertmt.registry.runs import all_runs
from bertmt.run_folder.layout import RunFolder, hold_alive

MEASURED = {
    "metrics": "SELECT runs.id, series.name, step, value FROM metrics JOIN series ON series.key = metrics.series"
    " JOIN runs ON runs.key = run ORDER BY 1, 2, 3",
    "evaluations": "SELECT runs.id, epoch, step, evaluations.sst, evaluations.overall FROM evaluations"
    " JOIN runs ON runs.key = run ORDER BY 1, 2",
    "predictions": "SELECT runs.id, task, epoch, fingerprint, probabilities FROM predictions"
    " JOIN runs ON runs.key = run ORDER BY 1, 2, 3",
}


def measured(path):
    with open_registry(path) as database:
        return {name: database.execute(query).fetchall() for name, query in MEASURED.items()}


def test_a_backup_is_whole_private_and_never_overwrites_by_itself(bertmt, registry):
    outcome = bertmt("backup", "copy.db")
    assert outcome.code == 0, outcome.err
    assert stat.S_IMODE(Path("copy.db").stat().st_mode) == 0o600
    assert measured(Path("copy.db").absolute()) == measured(registry)
    refused = bertmt("backup", "copy.db")
    assert refused.code == 2 and "--force" in refused.err
    assert bertmt("backup", "copy.db", "--force").code == 0
    assert bertmt("backup", str(registry)).code == 2, "the registry itself"
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_run_folders_in_an_empty_registry_give_the_same_rows(bertmt, registry, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folders = [str(path) for path in sorted((registry.parent / "runs").iterdir())]
    before = measured(registry)
    monkeypatch.chdir(elsewhere)
    outcome = bertmt("--db", str(elsewhere / "runs.db"), "import-run", *folders)
    imported = measured(elsewhere / "runs.db")
    with open_registry(registry) as database:
        hostile = {run.id for run in all_runs(database) if not run.name.isprintable()}
    expected = {name: [row for row in rows if row[0] not in hostile] for name, rows in before.items()}
    assert imported == expected
    assert len(outcome.out.splitlines()) == len(folders) - len(hostile)
    # Ids, and so the order of the folders, are random.
    known = next(folder for folder in folders if Path(folder).name not in hostile)
    again = bertmt("--db", str(elsewhere / "runs.db"), "import-run", known)
    assert again.code == 4 and "in this registry already" in again.err


@pytest.mark.parametrize("break_it", ["link", "no recipe", "name", "id", "alive"])
def test_a_folder_that_cannot_be_imported_leaves_nothing(bertmt, registry, tmp_path, break_it):
    source = tmp_path / "source"
    with open_registry(registry) as database:
        base = next(run for run in all_runs(database) if run.name == "base")
    shutil.copytree(registry.parent / "runs" / base.id, source)
    order = json.loads((source / "run.json").read_text())
    if break_it == "link":
        (source / "secret").symlink_to("/etc/passwd")
    elif break_it == "no recipe":
        (source / "recipe.json").write_text("{")
    elif break_it == "name":
        order["name"] = "\x1b[2J"
    elif break_it == "id":
        order["run_id"] = "../../x"
    (source / "run.json").write_text(json.dumps(order))
    new = tmp_path / "new" / "runs.db"
    lock = hold_alive(RunFolder(source)) if break_it == "alive" else None
    outcome = bertmt("--db", str(new), "import-run", str(source))
    if lock:
        lock.close()
    assert outcome.code != 0 and outcome.err.startswith("bertmt: ")
    with open_registry(new) as database:
        assert all_runs(database) == []
    assert not (new.parent / "runs").exists() or list((new.parent / "runs").iterdir()) == []


def test_what_was_removed_is_listed_then_freed_and_only_then_gone(bertmt, registry, run_named):
    run = run_named("better")
    folder = registry.parent / "runs" / run.id
    assert "restore" in bertmt("rm", "better", "--yes").err
    shown = bertmt("gc")
    assert "removed run" in shown.out and "Nothing was deleted" in shown.err
    assert folder.is_dir()
    assert "better" in bertmt("restore", "better").out
    assert "Nothing to delete" in bertmt("gc").err
    bertmt("rm", "better", "--yes")
    assert "Freed" in bertmt("gc", "--yes").err
    assert not folder.exists()
    assert bertmt("restore", "better").code == 3


def test_gc_frees_old_litter_and_strangers_but_nothing_that_is_alive_or_new(bertmt, registry):
    runs = registry.parent / "runs"
    with open_registry(registry) as database:
        base = next(run for run in all_runs(database) if run.name == "base")
    for name, age in (("strngr", 2), ("newone", 0), ("living", 2)):
        shutil.copytree(runs / base.id, runs / name)
        if age:
            os.utime(runs / name, (0, 0))
    litter = runs / base.id / ".recipe.json.0123456789ab"
    litter.write_text("half")
    os.utime(litter, (0, 0))
    with hold_alive(RunFolder(runs / "living")):
        os.utime(runs / "living", (0, 0))
        found = json.loads(bertmt("gc", "--json").out)["garbage"]
        assert {Path(each["path"]).name: each["what"] for each in found} == {
            "strngr": "no run",
            litter.name: "litter",
        }
        bertmt("gc", "--yes")
    assert not litter.exists() and not (runs / "strngr").exists()
    assert (runs / "newone").is_dir() and (runs / "living").is_dir() and (runs / base.id).is_dir()


def damage(path, how):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(path.read_bytes())
    if how == "header":
        content[:100] = bytes(100)
    elif how == "middle":
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 8192] = os.urandom(8192)
    elif how == "truncated":
        del content[len(content) // 3 :]
    path.write_bytes(bytes(content))
    if how == "missing":
        path.unlink()


@pytest.mark.parametrize("how", ["header", "middle", "truncated", "missing"])
def test_a_damaged_registry_is_made_anew_from_folders_and_file(bertmt, registry, how):
    before = measured(registry)
    with open_registry(registry) as database:
        hostile = {run.id for run in all_runs(database) if not run.name.isprintable()}
    damage(registry, how)
    outcome = bertmt("repair")
    assert outcome.code == 0, outcome.err
    after = measured(registry)
    for name, rows in before.items():
        expected = [row for row in rows if row[0] not in hostile]
        assert [row for row in after[name] if row[0] not in hostile] == expected
    with open_registry(registry) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(list(registry.parent.glob("runs-damaged-*.db"))) == (how != "missing")


def test_a_sound_registry_is_not_repaired(bertmt, registry):
    outcome = bertmt("repair")
    assert outcome.code == 4 and "not damaged" in outcome.err


def test_where_there_is_nothing_there_is_nothing_to_repair(bertmt, folder):
    assert bertmt("repair").code == 3
    assert list(folder.iterdir()) == []
