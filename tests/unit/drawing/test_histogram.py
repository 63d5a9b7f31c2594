"""Lengths as columns, and where they are cut."""

from hypothesis import given
from hypothesis import strategies as st

from bertmt.drawing.charts.histogram import draw_histogram
from bertmt.drawing.styled import STYLES, cells, plain


def test_a_column_is_as_tall_as_its_share_and_what_is_cut_has_another_colour() -> None:
    lines = draw_histogram({1: 4, 2: 8, 5: 1}, 20, 4, cut=3)
    drawn = [plain(each) for each in lines[:4]]
    assert [row[2:3] for row in drawn] == ["█"] * 4
    assert [row[1:2] for row in drawn] == [" ", " ", "█", "█"], "half as tall"
    assert drawn[3][5] == "▄", "an eighth of four lines"
    assert [span.text for span in lines[3] if span.style == "bad"] == [" ▄"] or any(
        span.style == "bad" and "▄" in span.text for span in lines[3]
    )
    assert all(row[4] == "│" for row in drawn), "behind 3 sentences are cut"


def test_a_far_cut_is_not_drawn() -> None:
    assert "│" not in "".join(map(plain, draw_histogram({3: 1}, 20, 3, cut=128)))
    assert "│" in "".join(map(plain, draw_histogram({100: 1, 3: 2}, 40, 3, cut=128)))


def test_of_many_lengths_several_share_a_column_and_none_is_lost() -> None:
    lines = draw_histogram(dict.fromkeys(range(100), 1), 25, 1)
    assert plain(lines[0]) == "█" * 25, "four lengths each"


@given(
    st.dictionaries(st.integers(0, 10_000), st.integers(0, 10**6), max_size=30), st.integers(0, 150),
    st.integers(0, 20), st.none() | st.integers(1, 512), st.booleans(),
)  # fmt: skip
def test_whatever_there_is_fits(counts: dict[int, int], width: int, height: int, cut: int, ascii_only: bool) -> None:
    lines = draw_histogram(counts, width, height, cut, ascii_only=ascii_only)
    assert len(lines) <= height + 2 and all(cells(plain(each)) <= width for each in lines)
    assert {span.style for each in lines for span in each} <= STYLES
    assert not ascii_only or all(plain(each).isascii() for each in lines)
