"""How long a run trained: from its events, over several attempts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Event, Resumed, Started, Step
from bertmt.run_folder.layout import RunFolder
from bertmt.services.browse.times.training_time import TrainingClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def step(number: int, seconds: float) -> Step:
    return Step(at=at(seconds), step=number, epoch=1, phase="train", values={"loss": 1.0})


def evaluated(number: int, seconds: float) -> Evaluated:
    return Evaluated(at=at(seconds), epoch=1, step=number, scores={"sst": 0.4})


def resumed(number: int, seconds: float, evaluated_step: int = -1) -> Resumed:
    return Resumed(at=at(seconds), step=number, evaluated_epoch=-1, evaluated_step=evaluated_step)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def write(folder: RunFolder, attempt: int, *events: Event) -> None:
    writer = EventWriter(folder.events(attempt))
    for each in events:
        writer.write(each)
    writer.close()


def times(clock: TrainingClock) -> dict[float, float]:
    return dict(zip(clock.steps.tolist(), clock.seconds.tolist(), strict=True))


def test_a_pause_and_steps_that_were_lost_do_not_count(folder: RunFolder) -> None:
    write(folder, 1, Started(at=at(0)), step(0, 10), step(1, 20), step(2, 30))
    # An hour later, from a checkpoint that holds two steps: the third is done again.
    write(folder, 2, Started(at=at(3600), resumes=True), resumed(2, 3601), step(2, 3605), step(3, 3615))
    clock = TrainingClock()
    clock.read(folder, 2)
    assert times(clock) == {0: 10, 1: 20, 2: 25, 3: 35}


def test_an_attempt_from_the_start_begins_at_nothing(folder: RunFolder) -> None:
    write(folder, 1, Started(at=at(0)), step(0, 10), step(1, 20))
    write(folder, 2, Started(at=at(100)), step(0, 103))
    clock = TrainingClock()
    clock.read(folder, 2)
    assert times(clock) == {0: 3}


def test_evaluations_are_part_of_it_also_where_the_next_attempt_goes_on_behind_one(folder: RunFolder) -> None:
    write(folder, 1, Started(at=at(0)), step(0, 10), evaluated(1, 40))
    write(folder, 2, Started(at=at(900), resumes=True), resumed(1, 900, evaluated_step=1), step(1, 905))
    clock = TrainingClock()
    clock.read(folder, 1)
    assert times(clock) == {0: 10, 1: 40}, "an evaluation after the last step has a time of its own"
    clock.read(folder, 2)
    assert times(clock) == {0: 10, 1: 45}


def test_what_is_new_is_read_behind_what_was_read(folder: RunFolder) -> None:
    write(folder, 1, Started(at=at(0)), step(0, 10))
    clock = TrainingClock()
    clock.read(folder, 1)
    before = clock.steps
    clock.read(folder, 1)
    assert clock.steps is before, "nothing is new"
    write(folder, 1, step(1, 20))
    clock.read(folder, 1)
    assert times(clock) == {0: 10, 1: 20}


def test_a_clock_that_was_put_back_lets_no_time_run_backwards(folder: RunFolder) -> None:
    write(folder, 1, Started(at=at(0)), step(0, 100), step(1, -3600), step(2, 101))
    clock = TrainingClock()
    clock.read(folder, 1)
    assert (np.diff(clock.seconds) >= 0).all()
