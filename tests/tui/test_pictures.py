"""Pictures: SVG that any reader of XML takes, with each cell where the terminal has it."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from present import present

from bertmt.drawing.styled import Span
from bertmt.errors import UsageError
from tui.pictures import CELL_WIDTH, MARGIN, moving_svg, svg_of, write_picture
from tui.styles.themes import THEMES

DARK = THEMES[0]
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[Any]:
    return [(each.text, float(present(each.get("x")))) for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_text_stands_at_the_cell_that_it_has_in_the_terminal() -> None:
    svg = svg_of([(Span("ab  "), Span("漢", "dim"), Span("c"))], DARK)
    assert texts(svg) == [
        ("ab", MARGIN),
        ("漢", MARGIN + 4 * CELL_WIDTH),
        ("c", pytest.approx(MARGIN + 6 * CELL_WIDTH)),
    ]


def test_hostile_text_is_no_markup_and_no_control_character_in_the_picture() -> None:
    svg = svg_of([(Span("</text><script>&\x1b]0;x\x07\uffff"),)], DARK)
    assert texts(svg)[0][0] == "</text><script>&�]0;x��"
    assert "\x1b" not in svg


def test_a_braille_character_is_as_many_dots_as_it_has_bits() -> None:
    svg = svg_of([(Span("⣿⠁x"),)], DARK)
    [path] = ElementTree.fromstring(svg).iter(f"{SVG}path")
    assert len(re.findall("M", present(path.get("d")))) == 8 + 1
    assert texts(svg) == [("x", pytest.approx(MARGIN + 2 * CELL_WIDTH))]


def test_a_picture_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "here.svg"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is not overwritten"):
        write_picture([], DARK, path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_there_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No picture can be written to .*: No such file or directory"):
        write_picture([], DARK, tmp_path / "no" / "here.svg")


def test_a_moving_picture_shows_one_frame_after_the_other_and_the_first_where_nothing_moves() -> None:
    frames = [svg_of([(Span(word),)], DARK) for word in ("one", "two", "six")]
    moving = ElementTree.fromstring(moving_svg(frames, 2.0))
    groups = [each for each in moving if each.tag.endswith("}g")]
    assert ["".join(group.itertext()).strip() for group in groups] == ["one", "two", "six"]
    assert [group.get("visibility") for group in groups] == ["visible", "hidden", "hidden"]
    animated = [next(each for each in group if each.tag.endswith("}animate")) for group in groups]
    assert {each.get("dur") for each in animated} == {"6s"}
    assert [(each.get("values"), each.get("keyTimes")) for each in animated] == [
        ("visible;hidden", "0;0.3333"),
        ("hidden;visible;hidden", "0;0.3333;0.6667"),
        ("hidden;visible", "0;0.6667"),
    ]
