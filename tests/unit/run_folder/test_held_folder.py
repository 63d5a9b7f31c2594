"""A child looks after its folder: what it does where its lock or its folder is gone, or another's."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import BusyError
from bertmt.run_folder import held_folder
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Started, now
from bertmt.run_folder.held_folder import DisplacedError, HeldFolder, Place
from bertmt.run_folder.layout import RunFolder, RunOrder, hold_alive, is_alive, living_pid


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_folder, "LOOK_SECONDS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "abcdef")
    made.create(RunOrder(run_id="abcdef", name="name", attempt=1, data="toy", extra_data_file=""), "{}")
    return made


@pytest.fixture
def held(folder: RunFolder) -> Iterator[HeldFolder]:
    with HeldFolder(folder) as found:
        yield found


def test_nothing_happens_where_nothing_is_wrong(folder: RunFolder, held: HeldFolder) -> None:
    for _ in range(3):
        held.look()
    assert held.place() is Place.OURS and sorted(path.name for path in folder.path.glob("*alive*")) == ["alive"]


def test_a_deleted_lock_is_put_back_at_the_second_look_and_proves_life_again(
    folder: RunFolder, held: HeldFolder
) -> None:
    folder.alive.unlink()
    held.look()
    assert not folder.alive.exists(), "a network mount may lie for a moment"
    held.look()
    assert is_alive(folder) and living_pid(folder) == os.getpid()
    for _ in range(2):
        held.look()
    assert [path.name for path in folder.path.iterdir() if "alive" in path.name] == ["alive"]
    held.__exit__()
    assert not is_alive(folder)


def test_a_lock_that_another_made_meanwhile_is_not_replaced(folder: RunFolder, held: HeldFolder) -> None:
    folder.alive.unlink()
    held.look()
    held._seen, real = Place.UNLOCKED, held.place
    held.place = lambda: Place.UNLOCKED  # type: ignore[method-assign]  # seen the moment before
    with hold_alive(folder) as other:
        held.look()
        assert os.fstat(other.fileno()).st_ino == folder.alive.stat().st_ino
        held.place = real  # type: ignore[method-assign]  # as before
        held.look()
        with pytest.raises(DisplacedError) as displaced:
            held.look()
    assert not displaced.value.keeps_events, "who holds the lock works there now"


def test_another_lock_ends_the_child_at_the_second_look_and_its_checkpoint_serves(
    folder: RunFolder, held: HeldFolder
) -> None:
    writer = EventWriter(folder.events(1), fresh=True)
    held.writes(folder.events(1))
    folder.alive.unlink()
    folder.alive.touch()
    held.look()
    with pytest.raises(DisplacedError, match="was replaced") as displaced:
        held.look()
    assert displaced.value.keeps_events
    writer.close()


def test_a_pipe_in_the_place_of_the_lock_is_not_waited_for(folder: RunFolder, held: HeldFolder) -> None:
    writer = EventWriter(folder.events(1), fresh=True)
    held.writes(folder.events(1))
    folder.alive.unlink()
    os.mkfifo(folder.alive)

    def give_up(*_: Any) -> None:
        raise AssertionError("it was waited for")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(5)
    try:
        assert held.displaced().keeps_events
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    writer.close()


def test_a_copy_in_the_place_of_the_folder_gets_no_checkpoint_since_its_events_end_earlier(
    folder: RunFolder, held: HeldFolder
) -> None:
    EventWriter(folder.events(1), fresh=True).close()
    held.writes(folder.events(1))
    away = folder.path.with_name("away")
    folder.path.rename(away)
    shutil.copytree(away, folder.path)
    held.look()
    with pytest.raises(DisplacedError) as displaced:
        held.look()
    assert not displaced.value.keeps_events


def test_while_the_folder_is_away_the_child_goes_on_and_makes_none(folder: RunFolder, held: HeldFolder) -> None:
    away = folder.path.with_name("away")
    folder.path.rename(away)
    for _ in range(3):
        held.look()
    assert held.place() is Place.AWAY and not folder.path.exists()
    assert "moved or deleted" in str(held.displaced())
    away.rename(folder.path)
    held.look()
    assert held.place() is Place.OURS and is_alive(folder)


def test_locked_events_prove_life_where_alive_was_deleted(folder: RunFolder) -> None:
    writer = EventWriter(folder.events(1), fresh=True)
    writer.write(Started(at=now(), attempt=1, pid=os.getpid()))
    assert is_alive(folder) and living_pid(folder) == os.getpid()
    with pytest.raises(BusyError, match="already being worked"):
        hold_alive(folder)
    assert not folder.alive.exists(), "the child would take it for another's, and end"
    writer.close()
    assert not is_alive(folder)
    hold_alive(folder).close()


def test_events_of_older_versions_are_not_locked_and_prove_nothing(folder: RunFolder) -> None:
    EventWriter(folder.events(1))
    assert not is_alive(folder)


def test_neither_a_run_folder_nor_what_is_above_is_made_by_a_checkpoint_or_where_the_registry_is_gone(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "moved" / "runs" / "abcdef")
    with pytest.raises(FileNotFoundError):
        folder.create(RunOrder(run_id="abcdef", name="name", attempt=1, data="toy", extra_data_file=""), "{}")
    with pytest.raises(FileNotFoundError):
        folder.checkpoints().write({}, 0)
    assert list(tmp_path.iterdir()) == []
