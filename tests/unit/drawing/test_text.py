"""Safe text, numbers, styled lines, sparkline and heat map."""

import math
import subprocess
import sys
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bertmt.drawing import numbers
from bertmt.drawing.charts.heatmap import draw_confusion, draw_confusion_difference
from bertmt.drawing.charts.sparkline import sparkline
from bertmt.drawing.safe_text import REPLACEMENT, safe_text
from bertmt.drawing.styled import STYLES, Span, ascii_line, cells, cut, cut_line, cut_name, line, pad, plain, wrap_parts

CLASSES = ("negative", "somewhat negative", "neutral")


MOVES_OR_REORDERS = ("\x1b]0;pwned\x07", "\x1b[2J", "\x9b31m", "\r", "\x7f", "\u202e", "\u2066", "\u200f", "\u061c")
HIDES_OR_RAISES = ("\u2028", "\u200b", "\ud800", "\U000e0041", "\ufeff", "\x00")


@pytest.mark.parametrize("hostile", [*MOVES_OR_REORDERS, *HIDES_OR_RAISES])
def test_nothing_that_steers_a_terminal_or_the_reader_comes_through(hostile: str) -> None:
    shown = safe_text(f"a{hostile}b", keep_newlines=True)
    assert not set(hostile) & set(shown) - set("]0;pwned[2J31m")
    assert REPLACEMENT in shown


@given(st.text(st.characters(codec=None)))
def test_no_control_character_survives_and_the_length_stays(text: str) -> None:
    shown = safe_text(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    shown.encode("utf-8")


def test_ordinary_text_of_all_scripts_is_unchanged() -> None:
    text = "What is ρ — l’été, 日本語, العربية, नमस्ते, 👍🏽?"
    assert safe_text(text) == text


def test_newlines_stay_only_where_they_are_asked_for() -> None:
    assert safe_text("a\nb\tc", keep_newlines=True) == "a\nb c"
    assert safe_text("a\nb\tc") == f"a{REPLACEMENT}b c"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.483, "0.483"), (None, "–"), (math.nan, "–"), (-0.3, "−0.300"), (0, "0.000"), (-0.0001, "0.000")],
)
def test_scores_have_three_digits(value: float | None, text: str) -> None:
    assert numbers.score(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.038, "+0.038"), (-0.0022, "−0.002"), (0.0, "0.000"), (0.0004, "0.000"), (None, "–")]
)
def test_differences_carry_their_sign_unless_they_round_to_zero(value: float | None, text: str) -> None:
    assert numbers.difference(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.4 s"),
        (9.97, "10 s"),
        (12, "12 s"),
        (59.7, "1 m 00 s"),
        (192, "3 m 12 s"),
        (3599.6, "1 h 00 m"),
        (7500, "2 h 05 m"),
        (86399, "1 d 00 h"),
        (100_000, "1 d 04 h"),
        (-12, "−12 s"),
        (None, "–"),
    ],
)
def test_durations_have_two_units_and_no_60_seconds(seconds: float | None, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_counts_percentages_p_values_and_intervals() -> None:
    assert numbers.count(12345) == "12,345"
    assert numbers.count(None) == numbers.percentage(None) == numbers.p_value(None) == "–"
    assert numbers.percentage(0.1234) == "12.3 %"
    assert (numbers.p_value(0.0004), numbers.p_value(0.031)) == ("< 0.001", "0.031")
    assert numbers.interval(-0.002, 0.041) == "[−0.002, +0.041]"
    assert numbers.interval(None, 0.041) == "–"


@given(st.text(), st.integers(0, 20))
def test_cut_and_padded_text_has_the_asked_width(text: str, width: int) -> None:
    for shorten in (cut, cut_name):
        assert cells(shorten(text, width)) <= width
        if cells(text) <= width:
            assert shorten(text, width) == text
    assert cells(pad(text, width)) == cells(pad(text, width, is_name=True)) == width


def test_a_name_that_is_cut_shows_its_end() -> None:
    assert cut_name("baseline-learning_rate1e-3", 15) == "baseli…rate1e-3"
    assert cut_name("日本語の名前がとても長い", 10) == "日…も長い"
    assert cut_name("e\u0301" * 20, 11).endswith("…" + "e\u0301" * 6)
    assert cut_name("baseline-1e-3", 9) == "baseline…"


def test_wide_characters_take_two_cells() -> None:
    assert cells("日本") == 4
    assert cut("日本語", 5) == "日本…"


def test_characters_take_as_many_cells_as_textual_gives_them() -> None:
    for text in (
        "e\u0301",
        "\u2427",
        "\u2764\ufe0e",
        "\u1112\u1161\u11ab",
        "\u0e01\u0e34",
        "\uff21",
        "\u20ac",
        "\u0488",
    ):
        assert cells(text) == sum(cell_len(character) for character in text)


def test_a_line_is_cut_across_its_spans() -> None:
    assert plain(cut_line(line(Span("abc", "dim"), "defgh"), 6)) == "abcde…"[:5] + "…"


def test_parts_stay_whole_when_they_wrap() -> None:
    parts = [line("aaaa"), line("bbbb"), line("cccc")]
    assert [plain(each) for each in wrap_parts(parts, 10)] == ["aaaa  bbbb", "cccc"]


def test_an_ascii_line_is_ascii_and_keeps_its_styles() -> None:
    shown = ascii_line(line(Span("−0.1 – … 日", "bad")))
    assert shown == (Span("-0.1 - ~ ?", "bad"),)


def test_a_confusion_matrix_shows_counts_totals_and_names() -> None:
    lines = [plain(each) for each in draw_confusion(np.array([[50, 3, 1], [2, 0, 7], [0, 0, 1234]]), CLASSES)]
    assert lines[1].split() == ["0", "negative", "50", "3", "1", "54"]
    assert lines[3].split() == ["2", "neutral", "0", "0", "1,234", "1,234"]
    assert lines[4].split() == ["n", "52", "3", "1,242"]
    assert len({cells(each) for each in lines[:4]}) == 1


def test_shares_are_of_the_true_class_or_of_the_predicted_one() -> None:
    matrix = np.array([[3, 1], [0, 0]])
    rows = [plain(each) for each in draw_confusion(matrix, ("no", "yes"), "rows")]
    columns = [plain(each) for each in draw_confusion(matrix, ("no", "yes"), "columns")]
    assert "75.0 %" in rows[1] and "25.0 %" in rows[1]
    assert rows[2].split()[2:4] == ["–", "–"]
    assert columns[1].count("100.0 %") == 2


def test_the_shade_grows_with_the_share_of_the_true_class() -> None:
    styles = [span.style for span in draw_confusion(np.array([[0, 5, 95]] * 3), CLASSES)[1][1:4]]
    assert styles == ["shade0", "shade0", "shade4"]


def test_a_difference_matrix_is_good_where_the_diagonal_grows_and_the_rest_shrinks() -> None:
    rows = draw_confusion_difference(np.array([[9, 1], [4, 5]]), np.array([[7, 3], [2, 5]]), ("no", "yes"))
    cells_of = [[(span.text.strip(), span.style) for span in row[1:]] for row in rows[1:]]
    assert cells_of == [[("+2", "good"), ("−2", "good")], [("+2", "bad"), ("0", "dim")]]


def test_a_matrix_that_does_not_fit_its_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        draw_confusion(np.zeros((2, 3)), CLASSES)


def test_a_sparkline_keeps_spikes_and_gaps() -> None:
    values = [0.0] * 1000
    values[503] = 1.0
    assert "█" in plain(sparkline(values, 20))
    assert plain(sparkline([0, None, 1], 20)) == "▁ █"


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=50), st.integers(0, 20), st.booleans())
def test_a_sparkline_never_exceeds_its_width(values: list[Any], width: int, ascii_only: bool) -> None:
    shown = sparkline(values, width, ascii_only)
    assert cells(plain(shown)) <= width
    assert {span.style for span in shown} <= STYLES
    assert plain(shown).isascii() or not ascii_only


def test_text_numbers_and_styles_need_no_numpy() -> None:
    modules = ", ".join(f"bertmt.drawing.{name}" for name in ("safe_text", "numbers", "styled"))
    code = f"import sys, {modules}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 39, "1,536.0 GiB")],
)
def test_a_size_has_the_unit_that_suits_it(size: int, words: str) -> None:
    assert numbers.size_words(size) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 runs"), (1, "1 run"), (2000, "2,000 runs")])
def test_things_are_counted_in_singular_and_plural(count: int, words: str) -> None:
    assert numbers.counted(count, "run") == words


def test_a_count_may_bring_its_verb() -> None:
    assert [numbers.counted(count, "run waits", "runs wait") for count in (1, 2)] == ["1 run waits", "2 runs wait"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b, c, d"), (5, "a, b, c and 2 more")]
)
def test_a_few_are_named_and_the_others_counted(count: int, words: str) -> None:
    assert numbers.named("abcdefgh"[:count]) == words


def test_many_more_are_counted_with_their_thousands_apart() -> None:
    assert numbers.named([f"run{number}" for number in range(2000)]) == "run0, run1, run2 and 1,997 more"
