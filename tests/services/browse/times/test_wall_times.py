"""When points were measured, by the events of several attempts."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Event, PartlyEvaluated, Resumed, Started, Step
from bertmt.run_folder.layout import RunFolder
from bertmt.services.browse.times.wall_times import WallTimes

DAY = "2026-03-01T12:{:02}:00+00:00"
NOON = datetime.fromisoformat(DAY.format(0)).timestamp()


def step(number: int, minute: int) -> Step:
    return Step(at=DAY.format(minute), step=number, epoch=1, phase="train", values={"loss": 1.0})


def evaluated(number: int, minute: int) -> Evaluated:
    return Evaluated(at=DAY.format(minute), epoch=1, step=number, scores={"sst": 0.5})


def times_of(folder: Path, *attempts: list[Event]) -> WallTimes:
    for number, events in enumerate(attempts, start=1):
        writer = EventWriter(RunFolder(folder).events(number))
        for event in events:
            writer.write(event)
        writer.close()
    found = WallTimes()
    found.read(RunFolder(folder), len(attempts))
    return found


def minutes(times: WallTimes, series: str, *steps: int) -> list[float]:
    return [float(each) for each in (times.at(series, np.array(steps)) - NOON) / 60]


def test_steps_evaluations_and_partial_ones_of_one_number_have_their_own_times(tmp_path: Path) -> None:
    partial = PartlyEvaluated(at=DAY.format(3), epoch=1, step=2, scores={"sst": 0.5})
    begun = Started(at=DAY.format(0), attempt=1)
    times = times_of(tmp_path, [begun, step(0, 1), step(1, 2), partial, evaluated(2, 4), step(2, 5)])
    assert minutes(times, "loss/sst", 0, 1, 2) == [1, 2, 5]
    assert minutes(times, "partial/sst", 2) == [3]
    assert minutes(times, "dev/sst", 2) == minutes(times, "dev_loss/sst", 2) == [4]


def test_what_an_attempt_did_again_has_the_time_of_that_attempt(tmp_path: Path) -> None:
    first = [Started(at=DAY.format(0), attempt=1), step(0, 1), evaluated(1, 2), step(1, 3), evaluated(2, 4), step(2, 5)]
    again = Resumed(at=DAY.format(20), step=1, evaluated_epoch=1, evaluated_step=1)
    second = [Started(at=DAY.format(20), attempt=2, resumes=True), again, step(1, 21), evaluated(2, 22)]
    times = times_of(tmp_path, first, second)
    assert minutes(times, "loss/sst", 0, 1) == [1, 21]
    assert minutes(times, "dev/sst", 1, 2) == [2, 22]
    assert np.isnan(times.at("loss/sst", np.array([2]))).all(), "it was lost, and is not done again yet"


def test_an_attempt_that_began_anew_measures_all_again(tmp_path: Path) -> None:
    first = [Started(at=DAY.format(0), attempt=1), step(0, 1), step(1, 2), evaluated(2, 3)]
    second = [Started(at=DAY.format(30), attempt=2), step(0, 31), step(1, 32), evaluated(2, 33)]
    times = times_of(tmp_path, first, second)
    assert minutes(times, "loss/sst", 0, 1) == [31, 32] and minutes(times, "dev/sst", 2) == [33]


@pytest.mark.parametrize("series", ["loss", "dev/sst", "partial/sst"])
def test_a_folder_that_is_gone_tells_no_times(tmp_path: Path, series: str) -> None:
    times = WallTimes()
    times.read(RunFolder(tmp_path / "gone"), 3)
    assert np.isnan(times.at(series, np.array([0, 5]))).all()
