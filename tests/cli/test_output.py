"""The two writers, and tables."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bertmt.cli import output
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.styled import STYLES, Span, cells, plain
from bertmt.drawing.tables import Column, Row, table


class Terminal(io.TextIOWrapper):
    """A stdout that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """stdout as a terminal of an encoding; its text afterwards."""

    def make(encoding: str = "utf-8") -> Callable[..., Any]:
        stream = Terminal(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        raw: Any = stream.buffer
        return lambda: raw.getvalue().decode(encoding)

    return make


LINE = (Span("x", "good"), Span("y"))


def test_a_terminal_gets_colour_and_a_pipe_does_not(terminal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    output.write_lines([LINE])
    assert capsys.readouterr().out == "xy\n"
    text = terminal()
    output.write_lines([LINE])
    assert text() == "\x1b[32mx\x1b[0my\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_declined(terminal: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    text = terminal()
    monkeypatch.setenv(name, value)
    output.write_lines([LINE])
    assert text() == "xy\n"


def test_every_style_of_a_drawing_has_a_look(terminal: Any) -> None:
    for style in STYLES - {"", "shade0"}:
        text = terminal()
        output.write_lines([(Span("x", style),)])
        assert text().startswith("\x1b["), style


def test_a_terminal_without_utf_8_gets_likenesses_in_ascii(terminal: Any) -> None:
    text = terminal("ascii")
    output.write_lines([(Span("ρ −0.3 … ─ 語"),)])
    assert text() == "r -0.3 ~ - ?\n"


def test_a_document_is_ascii_and_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_document("bertmt.recipe/1", {"recipe": {"x": "\x1b\u202eρ"}, "preset": None})
    text = capsys.readouterr().out
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text)["recipe"]["x"] == "\x1b\u202eρ"
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.write_document("bertmt.recipe/1", {"recipe": {"x": float("nan")}, "preset": None})


COLUMNS = (Column("id"), Column("name", elastic=True), Column("score", right=True))


@pytest.mark.parametrize("width", [20, 24, 40, None])
def test_a_table_keeps_to_its_width_by_its_elastic_column(width: int | None) -> None:
    lines = table(COLUMNS, [Row(["a", "a name that is long", "0.1"]), Row(["b", "語" * 9, "10.25"])], width)
    longest = max(cells(plain(line)) for line in lines)
    assert longest == (width if width in (20, 24) else 30)
    assert plain(lines[1]).endswith("  0.1") and plain(lines[2]).endswith("10.25")


def test_cells_are_made_safe_and_keep_their_style() -> None:
    lines = table(COLUMNS, [Row([Cell("\x1b[31m", "bad"), "x\ny", "1"])], None)
    assert "\x1b" not in plain(lines[1]) and "\n" not in plain(lines[1])
    assert lines[1][0].style == "bad"


def test_facts_leave_out_what_is_empty_and_align_the_rest() -> None:
    assert [plain(line) for line in facts({"a": "1", "none": "", "long": ["2", "3"]})] == [
        "a     1",
        "long  2",
        "      3",
    ]


@pytest.mark.parametrize("width", [1, 5, 9, 30])
def test_wrapped_text_fits_and_loses_nothing(width: int) -> None:
    text = "some words and averyverylongword 語語語語 end"
    lines = wrapped(text, width)
    assert all(cells(line) <= max(width, 2) for line in lines), "a wide character takes two cells"
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrapping_looks_at_every_character_a_few_times_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def counting(text: Any) -> int:
        nonlocal looked_at
        looked_at += len(text)
        return cells(text)

    monkeypatch.setattr("bertmt.drawing.facts.cells", counting)
    for text in ("é語 word " * 500, "é" * 4000, "word " * 1000):
        looked_at = 0
        wrapped(text, 100)
        assert looked_at <= 4 * len(text)
