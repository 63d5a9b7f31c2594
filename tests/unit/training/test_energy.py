"""What an attempt tells of its energy, between its other events."""

from pathlib import Path

import pytest

from bertmt.devices.energy import Drawn, EnergyMeter
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Energy, Failed, Started, Step, Stopped, now
from bertmt.training import timing
from bertmt.training.timing import MeteredEvents


class MadeUpMeter(EnergyMeter):
    """Draws a joule between two looks."""

    def __init__(self, knows: bool = True):
        self.looks, self.knows = 0, knows

    def read(self) -> Drawn | None:
        self.looks += 1
        return Drawn(None, self.looks * 1.04, False) if self.knows else None


def step(number: int) -> Step:
    return Step(at=now(), step=number, epoch=1, phase="train", values={})


def kinds(path: Path) -> list[str]:
    return [type(event).__name__ for event in read_events(path)[0]]


def test_it_is_told_behind_the_first_event_and_before_the_last(tmp_path: Path) -> None:
    events = MeteredEvents(tmp_path / "events", MadeUpMeter())
    for event in (Started(at=now(), attempt=1), step(0), step(1), Stopped(at=now(), step=2, signal="SIGTERM")):
        events.write(event)
    assert kinds(tmp_path / "events") == ["Started", "Energy", "Step", "Step", "Energy", "Stopped"]
    told = [event for event in read_events(tmp_path / "events")[0] if isinstance(event, Energy)]
    assert [(each.gpu_joules, each.cpu_joules, each.shared) for each in told] == [
        (None, 1.0, False), (None, 2.1, False),
    ]  # fmt: skip


def test_while_it_goes_on_it_is_told_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "EVERY_SECONDS", -1.0)
    events = MeteredEvents(tmp_path / "events", MadeUpMeter())
    for number in range(3):
        events.write(step(number))
    assert kinds(tmp_path / "events") == ["Step", "Energy"] * 3


def test_an_attempt_that_fails_at_once_tells_it_too(tmp_path: Path) -> None:
    MeteredEvents(tmp_path / "events", MadeUpMeter()).write(Failed(at=now(), error="it broke"))
    assert kinds(tmp_path / "events") == ["Energy", "Failed"]


def test_where_nobody_measures_it_the_file_is_what_it_always_was(tmp_path: Path) -> None:
    events = MeteredEvents(tmp_path / "events", MadeUpMeter(knows=False))
    for event in (Started(at=now(), attempt=1), step(0), Failed(at=now(), error="it broke")):
        events.write(event)
    assert kinds(tmp_path / "events") == ["Started", "Step", "Failed"]
