"""Curves that grow: what is read, when a series starts over, and that handed out arrays stay as they were."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from call_types import AddRun
from changed_run import changed

from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import forget, run_by_key
from bertmt.services.browse import live_curves
from bertmt.services.browse.curves import arrays_of
from bertmt.services.browse.live_curves import GrowingPoints, LiveCurves


@pytest.fixture
def record(database: Database) -> Callable[..., Run]:
    """Stores points as an importer would, and returns the run's record then."""

    def store(run: Any, points: Any, attempt: int = 1) -> Run:
        with database.immediate():
            metrics.append(database, run.key, points)
            database.execute(
                "UPDATE runs SET events_attempt = ?, events_offset = events_offset + 1 WHERE key = ?",
                (attempt, run.key),
            )
        return run_by_key(database, run.key)

    return store


@pytest.fixture
def read_points(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points each call of the registry returned."""
    counts = []
    read = metrics.read

    def counting(*arguments: Any) -> dict[str, list[tuple[int, float | None]]]:
        found = read(*arguments)
        counts.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(metrics, "read", counting)
    return counts


def line(start: int, stop: int) -> list[Any]:
    return [("loss", step, step / 2) for step in range(start, stop)]


def test_a_run_with_new_points_gives_only_these_to_be_read(
    database: Database, add_run: AddRun, record: Callable[..., Run], read_points: list[int]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 1000))
    live.update([run])
    run = record(run, line(1000, 1001))
    curve = live.update([run])[run.key, "loss"]
    assert read_points == [1000, 2], "the last point again, and the new one"
    assert curve.step_list() == list(range(1001))
    assert curve.value_list() == [step / 2 for step in range(1001)]


def test_nothing_is_read_of_a_run_without_new_events(
    database: Database, add_run: AddRun, record: Callable[..., Run], read_points: list[int]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 10))
    first = live.update([run])[run.key, "loss"]
    del read_points[:]
    assert live.update([run])[run.key, "loss"].step_list() == first.step_list()
    assert read_points == []


def test_coming_back_to_a_run_or_asking_for_more_series_reads_nothing_twice(
    database: Database, add_run: AddRun, record: Callable[..., Run], read_points: list[int]
) -> None:
    live = LiveCurves(database)
    one = record(add_run(), [("loss", 0, 1.0), ("loss", 1, 1.0), ("lr", 0, 3.0)])
    other = record(add_run(), line(0, 10))
    for run, patterns in ((one, ["loss"]), (other, ["loss"]), (one, ["*"]), (other, ["*"]), (one, ["loss"])):
        live.update([run], patterns)
    assert read_points == [2, 10, 1]


def test_a_run_that_one_comes_back_to_has_its_new_points(
    database: Database, add_run: AddRun, record: Callable[..., Run], read_points: list[int]
) -> None:
    live = LiveCurves(database)
    run, other = record(add_run(), line(0, 100)), record(add_run(), line(0, 1))
    for each in (run, other):
        live.update([each])
    run = record(run, line(100, 103))
    assert live.update([run])[run.key, "loss"].step_list() == list(range(103))
    assert read_points == [100, 1, 4], "the last point again, and three new ones"


@pytest.mark.parametrize(("most_runs", "most_points"), [(3, 1000), (100, 30)])
def test_only_the_runs_asked_for_last_are_kept(
    database: Database,
    add_run: AddRun,
    record: Callable[..., Run],
    read_points: list[int],
    monkeypatch: pytest.MonkeyPatch,
    most_runs: int,
    most_points: int,
) -> None:
    monkeypatch.setattr(live_curves, "MOST_RUNS", most_runs)
    monkeypatch.setattr(live_curves, "MOST_POINTS", most_points)
    live, runs = LiveCurves(database), [record(add_run(), line(0, 10)) for _ in range(4)]
    for run in runs:
        live.update([run])
    del read_points[:]
    for run in (runs[1], runs[3], runs[2]):
        live.update([run])
    assert read_points == []
    live.update([runs[0]])
    assert read_points == [10], "there was room for three"
    live.update(runs)
    live.update(runs)
    assert read_points == [10, 10], "what is asked for at once is kept, however much it is"


def test_a_new_run_with_the_key_of_a_removed_one_has_curves_of_its_own(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    gone = record(add_run(), line(0, 9))
    live.update([gone])
    forget(database, gone.key)
    run = record(add_run(), [("loss", 8, 4.0)])
    assert run.key == gone.key
    assert live.update([run])[run.key, "loss"].value_list() == [4.0]


def test_arrays_are_the_same_until_there_are_new_points(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 9))
    first, again = (live.update([run])[run.key, "loss"] for _ in range(2))
    assert first.steps is again.steps and first.values is again.values
    run = record(run, line(9, 10))
    assert live.update([run])[run.key, "loss"].steps is not first.steps


def test_growing_in_any_portions_gives_what_reading_at_once_gives(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live, run, position = LiveCurves(database), add_run(), 0
    generator = np.random.default_rng(1)
    for size in generator.integers(0, 700, 12).tolist():
        points = [(f"s{name}", step, None if step % 7 == 0 else step * 0.1 + name) for step in
                  range(position, position + size) for name in range(3)]  # fmt: skip
        run, position = record(run, points), position + size
        grown = live.update([run])
    whole = LiveCurves(database).update([run])
    assert grown.keys() == whole.keys() == {(run.key, f"s{name}") for name in range(3)}
    for key, curve in whole.items():
        np.testing.assert_array_equal(grown[key].steps, curve.steps)
        np.testing.assert_array_equal(grown[key].values, curve.values)
        assert len(curve.steps) == position


def test_a_new_attempt_starts_over_though_it_is_further_already(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 5))
    live.update([run])
    with database.immediate():
        metrics.go_back(database, run.key, 0, -1, -1)
    run = record(run, [("loss", step, 7.0) for step in range(9)], attempt=2)
    assert live.update([run])[run.key, "loss"].value_list() == [7.0] * 9


def test_a_series_that_went_back_to_an_earlier_step_starts_over(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 100))
    live.update([run])
    with database.immediate():
        metrics.go_back(database, run.key, 50, -1, -1)
    run = record(run, [("loss", 50, 9.0)])
    assert live.update([run])[run.key, "loss"].step_list() == list(range(51))


def test_a_series_that_went_back_and_came_further_with_other_values_starts_over(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 100))
    live.update([run])
    with database.immediate():
        metrics.go_back(database, run.key, 50, -1, -1)
    run = record(run, [("loss", step, -1.0) for step in range(50, 120)])
    curve = live.update([run])[run.key, "loss"]
    assert curve.step_list() == list(range(120))
    assert curve.value_list()[50:] == [-1.0] * 70


def test_only_what_a_pattern_names_is_there_and_a_new_series_appears(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), [("loss/sst", 0, 1.0), ("loss/sts", 0, 2.0), ("lr", 0, 3.0)])
    assert set(live.update([run], ["loss/*"])) == {(run.key, "loss/sst"), (run.key, "loss/sts")}
    assert set(live.update([run], ["lr"])) == {(run.key, "lr")}
    run = record(run, [("dev/sst", 1, 0.5)])
    assert set(live.update([run], ["dev/*"])) == {(run.key, "dev/sst")}


def test_a_run_that_was_removed_or_never_measured_has_no_curves(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run, other = record(add_run(), line(0, 3)), add_run()
    assert set(live.update([run, other])) == {(run.key, "loss")}
    assert live.update([]) == {}


def test_a_curve_that_was_handed_out_does_not_change(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 3))
    first = live.update([run])[run.key, "loss"]
    run = record(run, line(3, 2000))
    live.update([run])
    assert first.step_list() == [0, 1, 2]


def test_the_curve_carries_the_newest_record_of_its_run(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run("old"), line(0, 3))
    live.update([run])
    renamed = changed(run, name="new")
    assert live.update([renamed])[run.key, "loss"].run.name == "new"


def test_adding_points_one_by_one_copies_each_a_bounded_number_of_times() -> None:
    points, copied, buffer = GrowingPoints(), 0, None
    for step in range(10_000):
        points.add([(step, 1.0)])
        if points.steps.base is not buffer:
            buffer, copied = points.steps.base, copied + len(points.steps)
    assert copied <= 2 * 10_000
    assert points.steps.tolist() == list(range(10_000))


def test_points_become_arrays_with_gaps_where_a_value_is_no_number() -> None:
    steps, values = arrays_of([(3, 0.1), (4, None)])
    assert (steps.dtype, steps.tolist()) == (np.int64, [3, 4])
    np.testing.assert_array_equal(values, [0.1, np.nan])
    assert [array.shape for array in arrays_of([])] == [(0,), (0,)]


def test_a_day_of_points_keeps_a_bounded_number_of_them_and_every_spike() -> None:
    """A day at two steps a second, hour by hour; every hour has a spike, a dip and a step without a number."""
    points = GrowingPoints()
    hour, most = 7200, 0
    for first in range(0, 24 * hour, hour):
        values: list[float | None] = [1.0 + (step % 7) / 100 for step in range(hour)]
        values[1000], values[2000], values[3000] = 90.0, -90.0, None
        points.add([(first + place, value) for place, value in enumerate(values)])
        most = max(most, len(points.steps))
    assert most <= live_curves.MOST_OF_SERIES and points.steps[-1] == 24 * hour - 1
    assert (np.diff(points.steps) > 0).all()
    assert sorted(points.steps[points.values == 90.0]) == [first + 1000 for first in range(0, 24 * hour, hour)]
    assert sorted(points.steps[points.values == -90.0]) == [first + 2000 for first in range(0, 24 * hour, hour)]
    assert sorted(points.steps[np.isnan(points.values)]) == [first + 3000 for first in range(0, 24 * hour, hour)]


def test_what_is_kept_of_many_points_was_measured_and_goes_on_behind_its_last_point(
    database: Database, add_run: AddRun, record: Callable[..., Run]
) -> None:
    live = LiveCurves(database)
    run = record(add_run(), line(0, 2 * live_curves.MOST_OF_SERIES))
    live.update([run])
    run = record(run, line(2 * live_curves.MOST_OF_SERIES, 2 * live_curves.MOST_OF_SERIES + 3))
    curve = live.update([run])[run.key, "loss"]
    assert (curve.values == curve.steps / 2).all() and curve.steps[0] == 0
    assert list(curve.steps[-3:]) == [2 * live_curves.MOST_OF_SERIES + offset for offset in range(3)]
