"""Lines of `bertmt.drawing` as strips of Textual, in the colours of the theme."""

from collections.abc import Mapping
from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from bertmt.drawing.styled import Line
from tui.styles.themes import palette_of

NOTHING = Style()


def styles_of(widget: Widget) -> Mapping[str, Style]:
    """The style of each name in `drawing.styled.STYLES` under the theme that the widget is shown in, on its ground."""
    theme = widget.app.current_theme
    return _styles(theme.dark, theme.ansi, widget.rich_style)


@lru_cache(256)
def _styles(dark: bool, ansi: bool, ground: Style) -> Mapping[str, Style]:
    return {style: ground + Style.parse(definition) for style, definition in palette_of(dark, ansi).items()}


def strip_of(line: Line, styles: Mapping[str, Style], width: int, base: Style = NOTHING) -> Strip:
    """The line in exactly `width` cells.

    Args:
        base: of all of the line, as under a cursor; its colours win.
    """
    segments = [Segment(span.text, styles.get(span.style, NOTHING) + base) for span in line]
    return Strip(segments).adjust_cell_length(width, styles.get("", NOTHING) + base)


def background_only(style: Style) -> Style:
    """The background of a style alone, to be laid under text whose own colours stay."""
    return Style(bgcolor=style.bgcolor) if isinstance(style.bgcolor, Color) else NOTHING
