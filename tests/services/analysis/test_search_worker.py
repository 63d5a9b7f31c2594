"""A search that works its queue itself: workers that end are begun anew, and what keeps runs from starting is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from trained_trials import begun, train_next

from bertmt.errors import BertmtError, DamagedRegistryError
from bertmt.registry.database import Database, sqlite3
from bertmt.registry.searches.rows import search_named
from bertmt.registry.workers import guard, register
from bertmt.services.analysis.searching import working
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.working import search_on
from bertmt.services.lifecycle.hold import hold_queue


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is slept through."""
    monkeypatch.setattr("bertmt.services.analysis.searching.working.time.sleep", lambda seconds: None)


def works(database: Database, monkeypatch: pytest.MonkeyPatch, most: int, code: int = 0) -> list[Path]:
    """In the place of workers: each trains so many runs and ends; the registries that they were begun for."""
    begun_for: list[Path] = []

    @contextmanager
    def worker(registry: Path) -> Iterator[Callable[[], int | None]]:
        begun_for.append(registry)
        left = [most]

        def has_ended() -> int | None:
            left[0] -= 1
            return None if left[0] >= 0 and train_next(database) is not None else code

        yield has_ended

    monkeypatch.setattr(working, "_worker", worker)
    return begun_for


@pytest.mark.parametrize("most", [2, 100])
def test_a_search_goes_to_its_end_with_workers_that_end_where_nothing_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    begun(database)
    begun_for = works(database, monkeypatch, most)
    said: list[str] = []
    looked = search_on(database, "trial", True, said.append)
    assert looked.search.ended_at is not None and set(begun_for) == {database.path}
    assert "3 recipes go on to epoch 3" in said[0] or "3 recipes go on to epoch 3" in said[1]


def test_a_worker_that_ends_badly_ends_the_command_and_it_is_said_how_to_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(database)
    works(database, monkeypatch, 2, code=137)
    with pytest.raises(BertmtError, match="exit code 137; nothing is lost: `bertmt search --resume trial --work`"):
        search_on(database, "trial", True, lambda sentence: None)
    assert search_named(database, "trial").ended_at is None


class EnoughError(Exception):
    """It would wait for ever."""


def what_is_said(database: Database, monkeypatch: pytest.MonkeyPatch, work: bool) -> list[str]:
    """What a search says that waits, looked at three times."""
    said: list[str] = []
    looks = [0]

    def sleep(seconds: float) -> None:
        looks[0] += 1
        if looks[0] == 3:
            raise EnoughError

    monkeypatch.setattr("bertmt.services.analysis.searching.working.time.sleep", sleep)
    with pytest.raises(EnoughError):
        search_on(database, "trial", work, said.append)
    return said


def test_without_a_worker_it_is_said_once_how_one_is_begun(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(database)
    assert what_is_said(database, monkeypatch, work=False) == [working.NOTHING_WORKS]


def test_a_queue_that_is_held_is_told_of_and_no_worker_is_begun(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(database)
    hold_queue(database)
    begun_for = works(database, monkeypatch, 2)
    assert what_is_said(database, monkeypatch, work=True) == [working.HELD] and begun_for == []


def test_workers_that_start_nothing_any_more_end_the_command(database: Database) -> None:
    begun(database)
    guard(database, register(database, ["cpu"]), "three runs in a row died at once")
    with pytest.raises(BertmtError, match="died at once; `bertmt workers --go-on"):
        search_on(database, "trial", False, lambda sentence: None)


def test_a_registry_that_is_locked_for_a_while_ends_neither_the_search_nor_its_worker(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(database)
    begun_for = works(database, monkeypatch, 100)
    looks: list[Any] = []

    def locked_thrice(*about: Any) -> Any:
        looks.append(about)
        if 2 <= len(looks) <= 4:  # the first look is made before the worker
            raise sqlite3.OperationalError("database is locked")
        return advance(*about)

    monkeypatch.setattr(working, "advance", locked_thrice)
    said: list[str] = []
    assert search_on(database, "trial", True, said.append).search.ended_at is not None
    assert len(begun_for) == 1, "its worker went on"
    locked = [sentence for sentence in said if "another process holds it" in sentence]
    assert len(locked) == 1 and "retries every 5 s" in locked[0]


def test_a_damaged_registry_ends_the_search_since_time_does_not_mend_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*about: Any) -> Any:
        raise sqlite3.DatabaseError("database disk image is malformed")

    begun(database)
    monkeypatch.setattr(working, "advance", damaged)
    with pytest.raises(DamagedRegistryError):
        search_on(database, "trial", False, lambda sentence: None)
