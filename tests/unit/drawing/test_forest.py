"""The forest plot: what stands where, what is left out where it is narrow, and in ASCII."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.drawing.charts.forest import ForestGroup, ForestRow, draw_forest
from bertmt.drawing.styled import STYLES, Line, cells, line, plain

BETTER = ForestRow(
    name="PARA", difference=0.02, low=0.01, high=0.03, p=0.008, verdict="better", floor=0.005, note="said"
)
UNDECIDED = ForestRow(name="SST", difference=0.01, low=-0.01, high=0.03, p=0.21, note="sees ≥ 0.021")


def drawn(*rows: ForestRow, width: int = 120, ascii_only: bool = False) -> list[Line]:
    return draw_forest([ForestGroup(line("b − a"), rows)], width, ascii_only=ascii_only)


def plot_of(text: Line) -> str:
    """The row between its name and its numbers."""
    return plain(text).split("  +")[0].split("  −")[0]


def test_an_interval_stands_where_its_ends_are_on_the_axis() -> None:
    head, title, better, undecided = drawn(BETTER, UNDECIDED)
    assert plain(title) == "b − a"
    zero, ten, thirty = (plain(head).index(tick) + len(tick) // 2 for tick in (" 0 ", "+0.01", "+0.03"))
    assert abs(plain(better).index("├") - ten) <= 1 and abs(plain(better).index("┤") - thirty) <= 1
    assert plain(better)[zero] == "│" and plain(undecided)[zero] == "┼", "it crosses zero"
    middle = (plain(better).index("├") + plain(better).index("┤")) / 2
    assert abs(plain(better).index("●") - middle) <= 1


def test_the_band_reaches_as_far_to_both_sides_of_zero() -> None:
    row = plain(drawn(ForestRow(name="x", difference=0.05, floor=0.02))[2])
    zero = row.index("│")
    assert row[:zero].count("░") == pytest.approx(row[zero:].count("░"), abs=1)
    assert row.count("░") > 4
    assert "░" not in plain(drawn(UNDECIDED)[2]), "where nothing is known of seeds"


def test_numbers_verdict_and_note_stand_behind_the_plot() -> None:
    _, _, better, undecided = drawn(BETTER, UNDECIDED)
    assert plain(better).endswith("+0.020  [+0.010, +0.030]     0.008  ▲ better     said")
    assert plain(undecided).endswith("+0.010  [−0.010, +0.030]     0.210  ≈ undecided  sees ≥ 0.021")
    worse = drawn(ForestRow(name="x", difference=-0.1, low=-0.2, high=-0.05, p=0.0001, verdict="worse"))[2]
    assert plain(worse).endswith("−0.100  [−0.200, −0.050]   < 0.001  ▼ worse")
    assert {"bad"} == {span.style for span in worse if "●" in span.text or "▼" in span.text}


def test_where_nothing_was_tested_nothing_is_claimed() -> None:
    untested = ForestRow(name="overall", difference=0.05, verdict="")
    undefined = ForestRow(name="STS", difference=None)
    _, _, first, second = drawn(untested, undefined)
    assert "●" in plain(first) and "├" not in plain(first)
    assert plain(first).split()[-4:] == ["+0.050", "–", "–", "–"]
    assert "●" not in plain(second) and plain(second).split()[-4:] == ["–"] * 4


def test_what_there_is_no_room_for_goes_in_order_and_the_plot_stays() -> None:
    for width, there, gone in (
        (80, ("0.008", "[+0.010", "▲ better"), ("said",)),
        (68, ("+0.020", "▲ better", "[+0.010"), ("0.008",)),
        (50, ("+0.020", "▲ better"), ("[+0.010",)),
        (30, ("●",), ("better",)),
    ):
        text = plain(drawn(BETTER, UNDECIDED, width=width)[2])
        assert all(each in text for each in there), (width, text)
        assert not any(each in text for each in gone), (width, text)


def test_one_endless_interval_does_not_hide_the_others() -> None:
    wild = ForestRow(name="wild", difference=0.02, low=-3.0, high=3.0)
    rows = [plain(each) for each in drawn(BETTER, UNDECIDED, wild)[2:]]
    assert rows[0].index("┤") - rows[0].index("├") >= 4
    assert "◂" in rows[2] and "▸" in rows[2], "it goes on beyond both ends"


def test_ascii_has_marks_of_its_own() -> None:
    lines = drawn(BETTER, UNDECIDED, ascii_only=True)
    assert all(plain(each).isascii() for each in lines)
    assert re.search(r" \+-+\*-+\+ ", plain(lines[2])) and "^ better" in plain(lines[2])
    assert "~ undecided" in plain(lines[3])


NUMBER = st.none() | st.floats(-2, 2) | st.sampled_from([0.0, 1e-12, float("nan"), float("inf")])


@given(
    st.lists(
        st.builds(
            ForestRow, name=st.text(max_size=30), difference=NUMBER, low=st.none() | st.floats(-2, 2),
            high=st.none() | st.floats(-2, 2), p=NUMBER, verdict=st.sampled_from(["better", "worse", "undecided", ""]),
            floor=st.none() | st.floats(0, 1),
        ),
        max_size=5,
    ),
    st.integers(0, 200),
    st.booleans(),
)  # fmt: skip
def test_whatever_there_is_to_draw_fits(rows: list[ForestRow], width: int, ascii_only: bool) -> None:
    lines = drawn(*rows, width=width, ascii_only=ascii_only)
    assert all(cells(plain(each)) <= width for each in lines)
    assert {span.style for each in lines for span in each} <= STYLES
    assert not any(plain(each).endswith(" ") for each in lines)
    assert not any(character in plain(each) for each in lines for character in "\x1b\n\r")
