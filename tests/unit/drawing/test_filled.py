"""A history as a filled area."""

import numpy as np

from bertmt.drawing.charts.filled import filled
from bertmt.drawing.styled import plain


def drawn(shares: list[float], width: int, height: int, ascii_only: bool = False) -> list[str]:
    return [plain(each) for each in filled(np.array(shares), width, height, "series0", ascii_only)]


def test_a_half_fills_half_of_the_lines_whatever_the_others_are() -> None:
    assert drawn([0.5, 1.0, 0.5], 3, 2) == [" █ ", "███"]
    assert drawn([0.5, 0.5], 2, 1) == ["▄▄"]


def test_nothing_known_draws_nothing_and_zero_a_foot() -> None:
    assert drawn([np.nan, 0.0, np.inf], 3, 1) == [" ▁ "]
    assert drawn([np.nan, 0.0], 2, 2) == ["  ", " ▁"]


def test_the_newest_stand_at_the_right_and_older_ones_are_cut_off() -> None:
    assert drawn([1.0, 0.25], 4, 1) == ["  █▂"]
    assert drawn([1.0, 0.5, 0.25], 2, 1) == ["▄▂"]


def test_more_than_all_is_all() -> None:
    assert drawn([7.0, -1.0], 2, 1) == ["█▁"]


def test_in_ascii_nothing_else_is_drawn() -> None:
    assert all(each.isascii() for each in drawn([0.1, 0.6, 1.0], 5, 3, ascii_only=True))


def test_without_room_there_is_nothing() -> None:
    assert drawn([0.5], 0, 1) == [""] and drawn([0.5], 3, 0) == []
