"""The mean of several curves and the band about it."""

import numpy as np

from bertmt.drawing.charts.bands import mean_and_band
from bertmt.drawing.charts.curves import Panel, View, draw_panel
from bertmt.drawing.charts.series import Series
from bertmt.drawing.styled import Line, plain

STEPS = np.arange(5)


def series(values: list[float], steps: np.ndarray = STEPS, exact: bool = False) -> Series:
    return Series("seed", steps, np.array(values, dtype=np.float64), exact=exact)


def test_mean_and_band_are_of_the_steps_that_all_seeds_have() -> None:
    late = series([5.0, 7.0, 9.0], np.array([1, 3, 8]))
    mean, band = mean_and_band("mean", [series([0.0, 1.0, 2.0, 3.0, 4.0]), late], 6, 2)
    assert mean.steps.tolist() == [1, 3]
    assert mean.values.tolist() == [3.0, 5.0]
    assert band.low.values.tolist() == [1.0, 3.0] and band.high.values.tolist() == [5.0, 7.0]
    assert (mean.place, band.of) == (6, 2)


def test_where_a_seed_has_no_number_there_is_no_mean() -> None:
    mean, band = mean_and_band("mean", [series([1.0, np.nan, 3.0, 4.0, 5.0]), series([1.0] * 5)], 0, 0)
    for each in (mean, band.low, band.high):
        assert np.isnan(each.values).tolist() == [False, True, False, False, False]


def test_measurements_are_never_smoothed_and_samples_are_with_their_band() -> None:
    jumpy = [0.0, 1.0, 0.0, 1.0, 0.0]
    mean, band = mean_and_band("mean", [series(jumpy, exact=True), series(jumpy, exact=True)], 0, 0)
    assert band.smoothed(0.9).low.values.tolist() == mean.smoothed(0.9).values.tolist() == jumpy
    _, sampled = mean_and_band("mean", [series(jumpy), series(jumpy)], 0, 0)
    assert np.ptp(sampled.smoothed(0.9).high.values[1:]) < 0.5


def drawn(ascii_only: bool = False, with_band: bool = True) -> list[Line]:
    mean, band = mean_and_band("mean", [series([0.0] * 5), series([1.0] * 5)], 1, 0)
    panel = Panel("", [mean], bands=[band] if with_band else [])
    return draw_panel(panel, 40, 12, View(ascii_only=ascii_only)).lines


def test_a_band_is_thin_in_the_colour_of_its_curve_and_the_axis_holds_it() -> None:
    lines = drawn()
    thin = {span.style for each in lines for span in each if "⠡" in span.text}
    assert thin == {"series1"}
    rows = [plain(each) for each in lines]
    assert sum("⠡" in each for each in rows) >= 4, "from edge to edge"
    assert not any("⠡" in plain(each) for each in drawn(with_band=False))
    assert any(each.startswith("1.0 ┤") for each in rows) or any("1.0" in each for each in rows[:2])


def test_in_ascii_a_band_is_of_faint_dots() -> None:
    assert sum(plain(each).count(".") > 20 for each in drawn(ascii_only=True)) >= 4


def test_between_places_that_curves_do_not_share_a_mean_lies_in_a_straight_line() -> None:
    first = Series("a", np.array([0.0, 2.0, 4.0]), np.array([0.0, 2.0, 4.0]))
    second = Series("b", np.array([1.0, 3.0]), np.array([11.0, 13.0]))
    mean, band = mean_and_band("mean", [first, second], 0, 0, between=True)
    assert mean.steps.tolist() == [1.0, 2.0, 3.0], "from where both have begun to where the first ends"
    assert mean.values.tolist() == [6.0, 7.0, 8.0]
    assert band.low.values.tolist() == [1.0, 2.0, 3.0] and band.high.values.tolist() == [11.0, 12.0, 13.0]


def test_between_measurements_a_mean_is_of_what_was_measured_last() -> None:
    first = Series("a", np.array([0.0, 2.0, 4.0]), np.array([0.0, 2.0, 4.0]), exact=True)
    second = Series("b", np.array([1.0, 3.0]), np.array([11.0, 13.0]), exact=True)
    mean, _ = mean_and_band("mean", [first, second], 0, 0, between=True)
    assert mean.values.tolist() == [5.5, 6.5, 7.5], "0 and 11, 2 and 11, 2 and 13"
