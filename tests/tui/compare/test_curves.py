"""Curves of arms: what is said where seeds share nothing that a mean could be of."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bertmt.drawing.charts.curves import Panel, View, draw_panel
from bertmt.drawing.charts.series import Series
from bertmt.drawing.styled import plain
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm
from tui.screens.compare.arms import Sides
from tui.screens.compare.curves import ArmCurves


@pytest.fixture
def seeds(add_run: Callable[..., Run]) -> tuple[Run, ...]:
    return tuple(add_run("slow", seed=seed) for seed in (1, 2, 3))


def panel_of(runs: tuple[Run, ...], between: bool, *places: tuple[float, ...]) -> Panel:
    drawn = [Series("dev", np.array(each), np.linspace(0.2, 0.4, len(each)), exact=True) for each in places]
    sides = Sides(runs=runs, arms=(Arm(runs),), places={run.key: 1 for run in runs})
    [panel] = ArmCurves().panels([Panel("dev score", drawn)], sides, between)
    return panel


@pytest.mark.parametrize(("between", "what"), [(True, "time"), (False, "step")])
def test_an_arm_whose_seeds_share_no_place_says_so_and_keeps_their_ends(
    seeds: tuple[Run, ...], between: bool, what: str
) -> None:
    panel = panel_of(seeds, between, (0.0, 1.0), (2.0, 3.0), (4.0, 5.0))
    text = " ".join(plain(each) for each in draw_panel(panel, 100, 12, View()).lines)
    assert f"slow ×3: no {what} that all 3 seeds reached, mean of their ends 0.4" in text
    assert panel.title == "dev score", "there is no band to explain"


def test_an_arm_whose_seeds_share_places_is_a_mean_in_a_band(seeds: tuple[Run, ...]) -> None:
    panel: Any = panel_of(seeds, True, (0.0, 1.0, 3.0), (0.0, 1.0, 3.0), (1.0, 3.0))
    assert [each.name for each in panel.series] == ["slow ×3"] and len(panel.bands) == 1
