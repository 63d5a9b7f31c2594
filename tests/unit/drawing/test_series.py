"""How series are told from each other."""

from collections import Counter

from bertmt.drawing.looks import look_of, place_of_run
from bertmt.drawing.styled import SERIES
from tui.styles.themes import palette_of


def test_runs_are_told_apart_by_colour_and_mark_and_none_looks_like_the_baseline() -> None:
    baseline = look_of(0, False)
    looks = [look_of(place_of_run(number), False) for number in range(1, 200)]
    assert all(look.style != baseline.style and look.mark != baseline.mark for look in looks)
    for start in range(150):
        near = looks[start : start + 6]
        assert len({look.style for look in near}) == len({look.mark for look in near}) == 6
        assert len(set(looks[start : start + 49])) == 49


def test_the_colours_of_series_are_different_ones_in_every_palette_also_in_16_colours() -> None:
    for dark, ansi in ((True, False), (False, False), (True, True), (False, True)):
        palette = palette_of(dark, ansi)
        assert Counter(palette[style] for style in SERIES).most_common(1)[0][1] == 1
