"""Frames, grounds and dialogs: where the focus is, what lies above what, and what a dialog is about stays in sight."""

from typing import Any

import pytest
from rich.color import Color, ColorSystem
from shown import LARGE, SMALL, Show, Shown
from textual.widget import Widget

from tui.settings import Settings
from tui.styles.themes import CYCLE, DARK, LIGHT, THEMES
from tui.widgets.frame import FRAMED, name_frame
from tui.widgets.text_lines import TextLines

BY_NAME = {theme.name: theme for theme in THEMES}
# Keys from the list of runs, its cursor on a finished run that was evaluated, to each screen with panes.
PLACES = {
    "runs": (), "queue": ("2",), "paper": ("3",), "new-run": ("n",),
    **{f"tab {number}": ("enter", str(number)) for number in range(1, 8)},
}  # fmt: skip


async def _go_to(shown: Shown, place: str) -> None:
    shown.app.screen.table.go_to("run002")
    await shown.settle()
    await shown.press(*PLACES[place])


def _frames(shown: Shown) -> list[Widget]:
    return [each for each in shown.app.screen.query(f".{FRAMED}") if each.display and each.region]


def _line_of(frame: Widget) -> object:
    return frame.styles.border_top[1]


@pytest.mark.parametrize("place", PLACES)
async def test_the_pane_with_the_focus_alone_has_a_bright_frame(
    show: Show, evaluated: Any, alive: Any, place: str
) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        await _go_to(shown, place)
        frames = _frames(shown)
        bright = [each for each in frames if each.has_focus or each.has_focus_within]
        assert len(bright) == 1 and shown.app.focused is not None
        assert all(each.border_title for each in frames)
        colours = {each.has_focus or each.has_focus_within: _line_of(each) for each in frames}
        assert len(set(map(str, colours.values()))) == len(colours)


@pytest.mark.parametrize("place", PLACES)
async def test_frames_take_no_row_from_a_small_terminal_but_the_line_that_parts_two_panes(
    show: Show, evaluated: Any, alive: Any, place: str
) -> None:
    async with show(path=evaluated, size=SMALL) as shown:
        await _go_to(shown, place)
        lost = [each.styles.gutter.height - each.styles.padding.height for each in _frames(shown)]
        assert sum(lost) == len(lost) - sum(each.has_class("first") for each in _frames(shown))


@pytest.mark.parametrize("place", ["queue", "paper", "tab 7"])
async def test_a_frame_that_is_a_line_alone_is_bright_where_the_focus_is(
    show: Show, evaluated: Any, alive: Any, place: str
) -> None:
    async with show(path=evaluated, size=SMALL) as shown:
        await _go_to(shown, place)
        frame = next(each for each in _frames(shown) if not each.has_class("first"))
        before = _line_of(frame)
        frame.can_focus = True
        frame.focus()
        await shown.settle()
        assert _line_of(frame) != before


async def test_a_title_is_read_as_text_and_made_safe(show: Show, alive: Any) -> None:
    async with show() as shown:
        lines = TextLines()
        await shown.app.screen.mount(lines)
        name_frame(lines, "[red]evil[/red] \x1b]0;pwned\x07")
        assert lines._border_title is not None
        assert lines._border_title.plain == " [red]evil[/red] �]0;pwned� "


@pytest.mark.parametrize("title", ["short", "long " * 60])
@pytest.mark.parametrize(("size", "corners"), [(SMALL, False), (LARGE, True)])
async def test_a_title_has_one_space_on_each_side_with_corners_and_without(
    show: Show, alive: Any, size: tuple[int, int], corners: bool, title: str
) -> None:
    async with show(size=size) as shown:
        pane = next(each for each in _frames(shown) if not each.has_class("first"))
        name_frame(pane, title.strip())
        await shown.settle()
        border = shown.text.splitlines()[pane.region.y]
        assert ("╭" in border) is corners
        said = border.strip("╭╮─")
        assert said.startswith(" ") and said.endswith(" ") and "  " not in said


@pytest.mark.parametrize("name", [DARK, LIGHT])
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
def test_grounds_and_frames_can_be_told_apart_also_in_256_colours(name: str, system: ColorSystem) -> None:
    theme = BY_NAME[name]
    grounds = [theme.background, theme.surface, theme.panel, theme.variables["border-blurred"], theme.primary]
    shown = [Color.parse(str(each)).downgrade(system) for each in grounds]
    assert len({each.number if system is ColorSystem.EIGHT_BIT else each.triplet for each in shown}) == len(grounds)


def test_in_the_terminals_own_colours_no_frame_has_that_of_its_ground() -> None:
    for name in ("ansi-dark", "ansi-light"):
        theme = BY_NAME[name]
        quiet, bright = theme.variables["border-blurred"], theme.primary
        assert quiet != bright
        assert not {quiet, bright} & {"ansi_default", "ansi_black", "ansi_white", "ansi_bright_white"}


@pytest.mark.parametrize("theme", CYCLE)
@pytest.mark.parametrize("keys", [(), ("j",) * 7])
async def test_a_question_leaves_the_row_that_it_is_about_in_sight_and_dims_it(
    show: Show, alive: Any, theme: str, keys: tuple[str, ...]
) -> None:
    async with show(settings=Settings(theme=theme)) as shown:
        await shown.press(*keys)
        run, row = shown.app.screen.current_run(), shown.app.screen.table.cursor_row
        before = shown.text.splitlines()[row]
        styles = _styles_of(shown, row)
        await shown.press("D")
        assert f"Remove {run.name}"[:20] in shown.text and f"({run.id}, seed {run.seed})?" in shown.text
        assert shown.text.splitlines()[row] == before
        assert _styles_of(shown, row).isdisjoint(styles)


def _styles_of(shown: Shown, row: int) -> set[object]:
    """The colours of the text of a line of the screen."""
    app = shown.app
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    found: list[set[object]] = [set()]
    for segment in app.console.render(update):
        if segment.text == "\n":
            found.append(set())
        elif not segment.control and segment.text.strip() and segment.style is not None:
            found[-1].add((segment.style.color, segment.style.reverse))
    return found[row]
