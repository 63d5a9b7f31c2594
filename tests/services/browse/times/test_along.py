"""Curves over epochs and over time."""

from collections.abc import Callable

import numpy as np
import pytest

from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Started, Step
from bertmt.services.browse.curves import curves_of
from bertmt.services.browse.live_curves import LiveCurves
from bertmt.services.browse.times.along import Axes, curves_along
from bertmt.services.browse.times.axis_names import EPOCH, STEP, TIME
from bertmt.services.ingest.ingest import ingest

DAY = "2026-03-01T{:02}:{:02}:{:02}+00:00"


def moment(seconds: int) -> str:
    return DAY.format(12 + seconds // 3600, seconds // 60 % 60, seconds % 60)


@pytest.fixture
def trained(database: Database, claimed: Run, events: EventWriter) -> Run:
    """Two pretraining steps and two epochs of four steps, ten minutes each, with an evaluation behind each epoch."""
    phases = {"mnr": {"pairs": 16, "steps": 2}}
    events.write(Started(at=moment(0), attempt=1, steps_total=10, epochs_total=2, pretraining=phases))
    for step in range(10):
        phase, epoch = ("mnr", 0) if step < 2 else ("train", 1 + (step - 2) // 4)
        events.write(Step(at=moment(600 * (step + 1)), step=step, epoch=epoch, phase=phase, values={"loss": 1.0}))
        if step in (5, 9):
            events.write(Evaluated(at=moment(600 * (step + 1) + 60), epoch=epoch, step=step + 1, scores={"sst": 0.4}))
    ingest(database, claimed)
    return run_by_key(database, claimed.key)


def places(axes: Axes, curves: LiveCurves, run: Run, name: str, series: str) -> list[float]:
    return [float(each) for each in axes.along(curves.update([run]), name).curves[run.key, series].steps]


def test_an_epoch_ends_at_its_number_and_pretraining_lies_before_the_first(database: Database, trained: Run) -> None:
    axes, curves = Axes(database), LiveCurves(database)
    assert places(axes, curves, trained, EPOCH, "dev/sst") == [1.0, 2.0]
    assert places(axes, curves, trained, EPOCH, "loss")[:3] == [-0.5, -0.25, 0.0]
    assert axes.place(trained, 6, EPOCH, axes.along(curves.update([trained]), EPOCH).axis) == 1.0


def test_time_is_in_the_unit_that_suits_it(database: Database, trained: Run) -> None:
    axes, curves = Axes(database), LiveCurves(database)
    placed = axes.along(curves.update([trained]), TIME)
    assert placed.axis.label == "minutes"
    assert placed.curves[trained.key, "loss"].steps.tolist() == pytest.approx([10 * (step + 1) for step in range(10)])
    assert placed.numbers(placed.curves[trained.key, "loss"])[0] == 600, "numbers are in seconds"
    assert placed.curves[trained.key, "dev/sst"].steps.tolist()[-1] == pytest.approx(101)


def test_over_steps_curves_are_what_they_are(database: Database, trained: Run) -> None:
    known = LiveCurves(database).update([trained])
    assert Axes(database).along(known, STEP).curves is known


@pytest.mark.parametrize("name", [EPOCH, TIME])
def test_while_nothing_is_measured_a_chart_gets_the_same_arrays(database: Database, trained: Run, name: str) -> None:
    axes, curves = Axes(database), LiveCurves(database)
    first, second = (axes.along(curves.update([trained]), name).curves[trained.key, "loss"] for _ in range(2))
    assert second.steps is first.steps and second.values is first.values


def test_what_is_not_known_of_one_run_is_said_and_of_all_is_refused(
    database: Database, trained: Run, finish: Callable[..., Run]
) -> None:
    other = finish("without events")
    database.execute("INSERT INTO metrics SELECT ?, series, step, value FROM metrics WHERE run = ?",
                     (other.key, trained.key))  # fmt: skip
    both = LiveCurves(database).update([trained, other])
    placed = Axes(database).along(both, TIME)
    assert [run.id for run in placed.lacking] == [other.id] and placed.title.endswith(f"not known of {other.id}")
    alone = LiveCurves(database).update([other])
    assert Axes(database).along(alone, TIME).is_of_steps
    with pytest.raises(NotFoundError, match=f"time is not known of {other.id}"):
        curves_along(database, curves_of(database, [other], ("loss",)), TIME)


def test_places_between_two_steps_lie_between_their_times(database: Database, trained: Run) -> None:
    axes = Axes(database)
    axis = axes.along(LiveCurves(database).update([trained]), TIME).axis
    assert axes.place(trained, 0, TIME, axis) == pytest.approx(10)
    assert np.isfinite(axes.place(trained, 10_000, TIME, axis) or np.nan), "beyond the last step is its time"
