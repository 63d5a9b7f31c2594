"""Registries with flipped, overwritten or missing bytes, and with texts that nobody wrote: answers, or sentences."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from command_lines import call, restore
from hypothesis import event, given
from hypothesis import strategies as st
from mutations import VALUES, damaged_bytes, mostly
from present import present
from sentences import answered

from bertmt.registry.database import sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, store_setting
from bertmt.services.browse.details import details_of
from bertmt.services.browse.listing import list_runs
from bertmt.services.opening import opened_registry

PAGE, RUNS = 4096, 9  # bytes of a page; runs in the registry
COMMANDS = (
    "runs", "runs --json", "runs --filter lora>0 --sort -sst", "show base", "show twins", "show better --json",
    "doctor", "logs silent", "compare base better", "confusion base", "curves base --json", "export base",
    "baseline --json", "export better --what predictions --jsonl", "recipe --from better", "workers", "searches",
    "queue --from base --dry-run", "requeue gone", "hold later", "release held", "edit later --set epochs=3",
    "cancel held", "note base x", "tag base y", "rm base --yes", "wait base",
)  # fmt: skip


@st.composite
def damages(draw: st.DrawFn, pages: int, page_size: Any) -> list[tuple[Any, Any]]:
    """Places in a file of pages, and what is written there; a cut is None."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        page = draw(st.integers(0, pages - 1)) * page_size
        header = (
            draw(st.sampled_from([0, 16, 18, 19, 20, 24, 28, 32, 36, 40, 44, 48, 56, 60, 92, 96])) if not page else 0
        )
        offset = draw(st.sampled_from([header, 0, 1, 3, 5, 7, 8, 10, 100]) | st.integers(0, page_size - 1))
        written = draw(
            st.none() | st.binary(min_size=1, max_size=8) | st.sampled_from([b"\0" * 64, b"\xff" * 64, "flip", page])
        )
        found.append((page + offset, written))
    return found


def damaged(content: Any, places: Any) -> bytes:
    content = bytearray(content)
    for offset, written in places:
        if written is None:
            del content[offset:]
        elif written == "flip" and offset < len(content):
            content[offset] ^= 1 << offset % 8
        elif isinstance(written, bytes):
            content[offset : offset + len(written)] = written
        elif isinstance(written, int):  # a page in the place of another
            content[offset : offset + PAGE] = content[written : written + PAGE]
    return bytes(content)


def look(path: Path) -> None:
    """Open without writing, list and show everything."""
    with opened_registry(path, read_only=True) as database:
        for row in list_runs(database):
            details_of(database, row.run)


@pytest.fixture
def template(place: Path) -> Path:
    """A copy of the current folder as it is before each damage."""
    with open_registry(place / "runs.db") as database:
        store_setting(database, "baseline", all_runs(database)[0].id)
        # What a crash leaves: commits that are in the log alone.
        shutil.copytree(place, place.with_name("logged"))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return shutil.copytree(place, place.with_name("template"))


@st.composite
def damaged_registries(
    draw: st.DrawFn, whole: Any, unmoved: Any, logged: Any
) -> tuple[bytes, None] | tuple[bytes, Any] | tuple[Any, bytes]:
    """The content of a registry and of its log, one of them damaged; None: there is no log."""
    places = draw(damages(len(whole) // PAGE, PAGE))
    kind = draw(st.sampled_from(["no log", "log", "damaged log"]))
    if kind == "no log":
        return damaged(whole, places), None
    return (damaged(unmoved, places), logged) if kind == "log" else (unmoved, damaged(logged, places))


@given(data=st.data(), command=mostly(st.sampled_from(COMMANDS), st.just("repair")))
def test_a_damaged_registry_is_read_or_repaired_or_refused_in_a_sentence(
    place: Path, template: Path, data: st.DataObject, command: Any
) -> None:
    path, logged = place / "runs.db", place.with_name("logged")
    files = (template / "runs.db", logged / "runs.db", logged / "runs.db-wal")
    content, log = data.draw(damaged_registries(*(file.read_bytes() for file in files)))
    restore(template, place)
    path.write_bytes(content)
    if log is not None:
        path.with_name("runs.db-wal").write_bytes(log)
    with answered():
        look(path)
    assert path.read_bytes() == content, "reading wrote"
    code, _, said = call(*command.split())
    event(f"exit code {code}{' of repair' if command == 'repair' else ''}")
    if command == "repair" and code == 0:
        check_repaired(path, said)


def check_repaired(path: Path, said: str) -> None:
    """All can be read again, and runs that are gone are not gone in silence."""
    look(path)
    with opened_registry(path, read_only=True) as database:
        assert len(all_runs(database)) >= RUNS or "lost" in said.lower(), said


COLUMNS = {
    "runs": "id name preset from_preset recipe digest seed data fingerprints state position attempt request device "
    "failure note submitted_at started_at ended_at snapshot events_attempt events_offset synced_at",
    "summaries": "phase step steps_total epoch seconds_left selected_epoch sst started finished",
    "snapshots": "source environment code_digest",
    "evaluations": "epoch sst seconds",
    "transitions": "at attempt state_after reason",
    "predictions": "task epoch fingerprint columns probabilities",
    "splits": "task name count",
    "examples": "first label",
    "tags": "tag",
    "settings": "value",
}


@st.composite
def changes(draw: st.DrawFn, valid: Any) -> tuple[str, str, Any, bool]:
    """A column of a table and what stands there instead in every row, or in the first one."""
    table = draw(st.sampled_from(["runs", "runs", "summaries", *COLUMNS]))
    column = draw(st.sampled_from(COLUMNS[table].split()))
    texts = damaged_bytes(st.sampled_from(valid), 2).map(lambda content: content.decode("utf-8", "replace"))
    values = (
        texts | VALUES | st.binary(max_size=30) | st.sampled_from(["running", "finished", "cancel", "[]", "{}", "null"])
    )
    return table, column, draw(values), draw(st.booleans())


@pytest.fixture
def texts(place: Path) -> list[Any]:
    """Documents of a run as they are stored."""
    with open_registry(place / "runs.db") as database:
        run = all_runs(database, "runs.name = 'base'")[0]
    texts = (
        run.submission.recipe_json,
        run.progress.started_json,
        run.progress.finished_json,
        run.submission.fingerprints_json,
        run.submission.submitted_at,
    )
    return [present(text).encode() for text in texts]


def change(path: Path, table: Any, column: Any, value: Any, everywhere: Any) -> bool:
    """Write a value past bertmt; whether SQLite took it."""
    where = "" if everywhere else f" WHERE {column} = (SELECT {column} FROM {table} LIMIT 1)"
    with open_registry(path) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA foreign_keys = OFF")
        try:
            database.execute(f"UPDATE OR IGNORE {table} SET {column} = ?{where}", (value,))
        except (OverflowError, UnicodeEncodeError, sqlite3.Error):
            return False
    return True


@given(data=st.data(), command=st.sampled_from(COMMANDS))
def test_a_registry_with_strange_texts_is_read_or_refused_in_a_sentence(
    place: Path, template: Path, texts: Any, data: st.DataObject, command: Any
) -> None:
    restore(template, place)
    if not change(place / "runs.db", *data.draw(changes(texts))):
        event("refused by SQLite")
        return
    with answered():
        look(place / "runs.db")
    event(f"exit code {call(*command.split())[0]}")
