"""Figures as marks, and as SVG, PDF and PNG: what stands where, what is left out of a hundred thousand points."""

import itertools
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from bertmt.drawing.charts.bands import mean_and_band
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.forest import ForestGroup, ForestRow
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.charts.series import Series
from bertmt.drawing.figures.cloud import MOST_DOTS, SQUARES, draw_cloud
from bertmt.drawing.figures.curves import MOST_POINTS, draw_curves, thinned
from bertmt.drawing.figures.forest import draw_forest
from bertmt.drawing.figures.marks import COLOURS, Area, Dot, Figure, Mark, Rule, Words, box
from bertmt.drawing.figures.matrix import draw_matrix
from bertmt.drawing.figures.plot import shortened
from bertmt.drawing.figures.printing import can_print, printed
from bertmt.drawing.figures.svg import svg_file, svg_in_page
from bertmt.drawing.styled import SERIES, Span
from bertmt.errors import BertmtError

HOSTILE = "<b>&\"'\x1b[2J\ufffe$x$ \\alpha"
ALL_MARKS = Figure(
    100, 50,
    (
        Rule(((0, 0), (10, 10)), "ink", 2, (3, 1)), box(1, 2, 3, 4, "good", 0.5), Dot((5, 5), 2, "series3", 0.3),
        Words((1, 9), HOSTILE, "bad", "middle", 12, bold=True),
    ),
    HOSTILE,
)  # fmt: skip


def of_kind(figure: Figure | None, kind: type[Any]) -> list[Any]:
    assert figure is not None
    return [each for each in figure.marks if isinstance(each, kind)]


def texts(figure: Figure | None) -> list[str]:
    return [each.text for each in of_kind(figure, Words)]


def row(name: str, difference: float | None, **more: Any) -> ForestRow:
    return ForestRow(name=name, difference=difference, **more)


def test_a_forest_has_each_interval_where_the_axis_has_it() -> None:
    rows = [
        row("SST", 0.1, low=0.05, high=0.15, verdict="better", floor=0.02),
        row("PARA", -0.1, low=-0.2, high=0.0, verdict="worse"),
        row("none", None),
    ]
    figure = draw_forest([ForestGroup((Span("a − b"),), rows)], "said")
    ticks = {each.text: each.at[0] for each in of_kind(figure, Words) if each.anchor == "middle"}
    per_unit = (ticks["+0.1"] - ticks["0"]) / 0.1
    [better, worse] = of_kind(figure, Dot)
    assert (better.colour, worse.colour) == ("good", "bad")
    assert better.at[0] - ticks["0"] == pytest.approx(0.1 * per_unit)
    assert worse.at[0] - ticks["0"] == pytest.approx(-0.1 * per_unit)
    level = [each for each in of_kind(figure, Rule) if each.places[0][1] == each.places[1][1] == better.at[1]]
    assert [each.places[1][0] - each.places[0][0] for each in level] == [pytest.approx(0.1 * per_unit)]
    [floor] = of_kind(figure, Area)
    assert floor.places[1][0] - floor.places[0][0] == pytest.approx(0.04 * per_unit)
    assert {"▲ better", "▼ worse", "+0.100", "−0.100", "–"} <= set(texts(figure))
    assert figure.said == "said"


def test_what_reaches_far_beyond_a_forest_ends_at_its_edge_without_a_stroke_there() -> None:
    rows = [row(f"t{number}", 0.01, low=0.0, high=0.02) for number in range(4)]
    rows.append(row("far", 0.01, low=-50.0, high=50.0))
    figure = draw_forest([ForestGroup((), rows)], "")
    assert all(0 <= x <= figure.width for each in of_kind(figure, Rule) for x, _ in each.places)
    far = of_kind(figure, Dot)[-1].at[1]
    strokes = [
        each
        for each in of_kind(figure, Rule)
        if each.places == ((each.places[0][0], far - 4), (each.places[0][0], far + 4))
    ]
    assert strokes == []


def test_a_curve_has_a_gap_where_there_is_no_number() -> None:
    values = np.array([1.0, 2.0, np.nan, 3.0, 4.0, np.nan, 5.0])
    figure = draw_curves(Panel("loss", [Series("a", np.arange(7), values)]))
    drawn = [each for each in of_kind(figure, Rule) if each.colour == "series0" and len(each.places) > 1]
    assert [len(each.places) for each in drawn[:2]] == [2, 2]
    assert len(of_kind(figure, Dot)) == 5
    assert draw_curves(Panel("loss", [Series("a", np.arange(2), np.full(2, np.nan))])) is None


def test_curves_that_share_a_colour_differ_in_dashes_and_bands_have_that_of_their_curve() -> None:
    steps = np.arange(3)
    members = [Series("", steps, np.array([1.0, 2.0, 3.0]) + more) for more in (0.0, 0.5)]
    mean, band = mean_and_band("mean", members, place=8, of=1)
    single = Series("one", steps, np.array([0.0, 1.0, 1.0]), place=0)
    figure = draw_curves(Panel("dev", [single, mean], bands=[band]))
    lines = [each for each in of_kind(figure, Rule) if each.colour == "series0" and len(each.places) == 3]
    assert len({each.dashes for each in lines}) == 2
    [area] = of_kind(figure, Area)
    assert area.colour == "series0" and len(area.places) == 6 and area.opacity < 0.5
    assert {"one", "mean"} <= set(texts(figure))


def test_of_a_hundred_thousand_points_the_extremes_stay() -> None:
    values = np.sin(np.arange(100_000) / 500)
    values[54_321], values[77_777], values[10_000:10_600] = 9.0, -9.0, np.nan
    steps, kept = thinned(np.arange(100_000), values)
    assert len(kept) <= 2 * MOST_POINTS and np.nanmax(kept) == 9.0 and np.nanmin(kept) == -9.0
    assert steps[0] == 0 and steps[-1] == 99_999 and np.isnan(kept).any()
    figure = draw_curves(Panel("loss", [Series("a", np.arange(100_000), values)]))
    assert figure is not None and len(svg_in_page(figure)) < 20_000


def test_exact_scores_are_a_staircase_with_a_dot_at_each_measurement_in_curve_and_band() -> None:
    members = [Series("a", np.arange(3), np.array(each), exact=True) for each in ((0.1, 0.3, 0.2), (0.2, 0.5, 0.4))]
    mean, band = mean_and_band("both", members, 0, 0)
    figure = draw_curves(Panel("dev", [mean], bands=[band]))
    [stairs] = [each.places for each in of_kind(figure, Rule) if each.width == 1.6 and len(each.places) > 2]
    measured = [each.at for each in of_kind(figure, Dot)]
    assert len(measured) == 3 and stairs[::2] == measured
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(stairs)), "level or upright"
    [area] = [each.places for each in of_kind(figure, Area) if each.opacity < 1]
    assert len(area) == 10
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in zip(area, [*area[1:], area[0]], strict=True))


def test_of_a_band_of_many_points_the_extremes_and_the_last_stay() -> None:
    values = np.zeros(10_001)
    values[4_567] = 1.0
    members = [Series("a", np.arange(10_001), each) for each in (values, -values)]
    mean, band = mean_and_band("both", members, 0, 0)
    [area] = of_kind(draw_curves(Panel("loss", [mean], bands=[band])), Area)
    ends = {round(each[1], 3) for each in area.places}
    lone = Series("a", np.arange(10_001), values)
    [curve] = [each for each in of_kind(draw_curves(Panel("loss", [lone])), Rule) if len(each.places) > 100]
    assert len(ends) == 3 and max(each[0] for each in area.places) == curve.places[-1][0]


def test_few_pairs_are_dots_and_a_hundred_thousand_are_squares() -> None:
    rng = np.random.default_rng(0)
    few = draw_cloud(Cloud(np.array([0.0, 5.0]), np.array([1.0, np.nan]), (1.0, 0.0), "few", (0.0, 5.0)))
    assert len(of_kind(few, Dot)) == 1 and few is not None and "1 pair without a number left out" in few.said
    true = rng.integers(0, 6, 100_000).astype(float)
    many = draw_cloud(Cloud(true, true + rng.normal(size=100_000), (1.0, 0.0), "many", (0.0, 5.0)))
    assert not of_kind(many, Dot) and 0 < len(of_kind(many, Area)) <= SQUARES * SQUARES
    assert many is not None and len(svg_in_page(many)) < 100_000 and MOST_DOTS < 100_000
    assert draw_cloud(Cloud(np.array([np.nan]), np.array([1.0]))) is None


def test_a_line_of_best_fit_stays_within_the_plot() -> None:
    figure = draw_cloud(Cloud(np.array([0.0, 5.0]), np.array([0.0, 5.0]), (40.0, -90.0), "", (0.0, 5.0)))
    line = next(each for each in of_kind(figure, Rule) if each.colour == "ink")
    assert figure is not None and all(0 <= y <= figure.height for _, y in line.places)


def test_a_matrix_has_its_numbers_and_shades_by_row() -> None:
    figure = draw_matrix(np.array([[9, 1], [2000, 0]]), ["no", "yes"], "title", "said")
    assert {"9", "1", "2,000", "0", "0 no", "1 yes"} <= set(texts(figure))
    shades = [each.opacity for each in of_kind(figure, Area) if each.colour == "series0"]
    assert len(shades) == 3 and shades[2] == pytest.approx(1.0) and shades[0] > shades[1]
    assert figure.said == "said: 9 of 2,010 examples on the diagonal"
    many = draw_matrix(np.eye(40, dtype=int), [f"c{number}" for number in range(40)], "t", "s")
    assert "1" not in [each.text for each in of_kind(many, Words) if each.colour in ("ink", "ground")]


def test_svg_is_xml_whatever_texts_hold() -> None:
    for text in (svg_file(ALL_MARKS), svg_in_page(ALL_MARKS)):
        root = ElementTree.fromstring(text)
        words = [each.text for each in root.iter() if each.tag.endswith("text")]
        assert words == ["<b>&\"'�[2J�$x$ \\alpha"] and root.attrib["aria-label"] == words[0]
    assert "var(--series3)" in svg_in_page(ALL_MARKS) and COLOURS["series3"][0] in svg_file(ALL_MARKS)
    assert 'width="100pt"' in svg_file(ALL_MARKS)


def test_every_series_has_a_colour_on_either_ground_that_stands_out() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((light(one), light(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for name in ("ink", "dim", "good", "bad", *SERIES):
        for side in (0, 1):  # 4.5: WCAG 2.2, 1.4.3
            assert contrast(COLOURS[name][side], COLOURS["ground"][side]) >= 4.5, (name, side)


def test_a_text_without_room_is_cut() -> None:
    assert shortened("short", 100) == "short"
    assert shortened("a" * 100, 60).endswith("…") and len(shortened("a" * 100, 60)) < 15


@pytest.mark.parametrize(("kind", "head"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
@pytest.mark.filterwarnings("error")
def test_print_is_a_file_of_its_kind(kind: str, head: bytes) -> None:
    if not can_print():
        pytest.skip("matplotlib is not here: PDF and PNG were not tried")
    first = printed(ALL_MARKS, kind)
    assert first.startswith(head) and printed(ALL_MARKS, kind) == first
    if kind == "png":  # 300 dots an inch
        assert int.from_bytes(first[16:20], "big") == int(100 / 72 * 300)


def test_without_matplotlib_print_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BertmtError, match="PDF and PNG need matplotlib"):
        printed(ALL_MARKS, "pdf")
    assert not can_print()


def test_marks_are_all_that_figures_are_made_of() -> None:
    kinds: tuple[type[Mark], ...] = (Rule, Area, Dot, Words)
    assert {type(each) for each in ALL_MARKS.marks} == set(kinds)
