"""Curves of runs as they are drawn in one chart."""

from typing import Any

import numpy as np
import pytest
from call_types import AddRun

from bertmt.drawing.charts.series import looks_of
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.services.browse.curves import Curve, curves_of, drawn_curves


@pytest.fixture
def two_runs(add_run: AddRun) -> list[Any]:
    return [add_run(name="one"), add_run(name="two")]


def looks(runs: Any, *series: Any) -> dict[Any, Any]:
    """The look of each of these (index of the run, series) in one chart."""
    curves = [Curve(runs[index], name, np.arange(2), np.ones(2)) for index, name in series]
    return dict(zip(series, looks_of(drawn_curves(curves, runs), False), strict=True))


def test_a_run_keeps_its_look_though_another_has_no_points_yet(two_runs: Any) -> None:
    alone = looks(two_runs, (1, "dev/sst"))
    both = looks(two_runs, (0, "dev/sst"), (1, "dev/sst"))
    assert alone[1, "dev/sst"] == both[1, "dev/sst"] != both[0, "dev/sst"]


def test_a_task_keeps_its_look_though_a_pretraining_phase_was_there_before_it(two_runs: Any) -> None:
    names = ("loss/mnr", "loss/para", "loss/sst", "dev/sst", "dev_loss/sst")
    some = looks(two_runs, (0, "loss/mnr"), (0, "dev/sst"))
    all_of_both = looks(two_runs, *((run, name) for run in (0, 1) for name in names))
    assert {key: all_of_both[key] for key in some} == some
    assert len(set(all_of_both.values())) == len(all_of_both)
    assert len({all_of_both[run, "loss/sst"].style for run in (0, 1)}) == 1, "a task has one colour"


def test_partial_scores_have_the_colour_of_their_task_another_mark_and_dots(two_runs: Any) -> None:
    both = looks(two_runs, (0, "dev/para"), (0, "partial/para"))
    whole, partial = both[0, "dev/para"], both[0, "partial/para"]
    assert whole.style == partial.style and whole.mark != partial.mark
    assert (whole.dotted, partial.dotted) == (False, True)


def test_partial_scores_are_curves_for_who_asks_and_never_smoothed(database: Database, two_runs: Any) -> None:
    for run in two_runs:
        points = [(f"{kind}/sst", step, value) for kind in ("dev", "partial") for step, value in ((1, 0.25), (2, 0.75))]
        with database.immediate():
            metrics.append(database, run.key, points)
    [asked] = curves_of(database, two_runs[:1], ("partial/*",), weight=0.9)
    assert (asked.series, asked.value_list()) == ("partial/sst", [0.25, 0.75])
    assert {each.series for each in curves_of(database, two_runs)} == {"dev/sst"}, "several runs: whole ones"
