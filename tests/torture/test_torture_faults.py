"""Faults as text, and that each comes at its operation and at no other."""

import errno
import functools
from pathlib import Path
from typing import Any

import pytest

from torture.faults.injector import Fault, Injector, parse_faults
from torture.faults.patches import sql_label


def test_a_fault_is_written_as_it_is_read() -> None:
    words = ["2/kill-half@3:write events-#.jsonl", "enospc@7+", "locked@1:sql COMMIT", "clock-40@150"]
    assert [str(each) for each in parse_faults(";".join(words))] == words


def test_a_word_that_is_no_fault_is_refused_with_what_is_expected() -> None:
    with pytest.raises(ValueError, match=r"A fault is .*'kill-sometimes@3'"):
        parse_faults("kill-sometimes@3")


def test_a_fault_comes_at_its_number_among_the_operations_that_fit(tmp_path: Path) -> None:
    injector = Injector([Fault("enospc", 2, "write")], record=tmp_path / "record")
    done: list[Any] = []
    for label in ("write a", "open a", "fsync a"):
        injector.perform(label, functools.partial(done.append, label))
    with pytest.raises(OSError) as caught:
        injector.perform("write b", lambda: done.append("whole"), lambda: done.append("half"))
    assert caught.value.errno == errno.ENOSPC
    injector.perform("write c", lambda: done.append("write c"))
    assert done == ["write a", "open a", "fsync a", "half", "write c"]
    assert "write b" in (tmp_path / "record").read_text()


def test_a_full_disk_stays_full_and_hinders_no_reader() -> None:
    injector = Injector([Fault("enospc", 1, stays=True)])
    for label in ("write a", "create b", "rename c"):
        with pytest.raises(OSError):
            injector.perform(label, lambda: None)
    assert injector.perform("open a", lambda: "read") == "read"


def test_a_lock_hinders_sql_alone_and_raises_what_sqlite_raises() -> None:
    injector = Injector([Fault("locked", 1)], sql_error=ArithmeticError)
    injector.perform("write a", lambda: None)
    with pytest.raises(ArithmeticError, match="locked"):
        injector.perform("sql COMMIT", lambda: None)


@pytest.mark.parametrize(
    ("sql", "label"),
    [
        ("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?)", "sql INSERT metrics"),
        ("UPDATE runs SET state = ?", "sql UPDATE runs"),
        ("BEGIN IMMEDIATE", "sql BEGIN"),
        ("PRAGMA user_version = 3", "sql PRAGMA user_version"),
    ],
)
def test_an_sql_statement_is_called_by_its_verb_and_table(sql: str, label: str) -> None:
    assert sql_label(sql) == label
