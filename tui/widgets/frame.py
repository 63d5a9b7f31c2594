"""The frame of a pane: a title in its upper border, and in its lower one, where there is one, what is said about it.

How it looks stands in `styles/dashboard.tcss`: bright where keys go, quiet elsewhere. Where the terminal is small a
frame is its upper line alone, and of the first pane, which the tabs above name, not even that: no row is lost to it.
"""

from typing import TypeVar
from weakref import WeakKeyDictionary

from textual.content import Content
from textual.widget import Widget

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import cut
from tui.plain.words import in_words, said

FRAMED, FIRST = "framed", "first"
FOCUS = "focus"  # behind the title of the pane that keys go to, where signs are words
W = TypeVar("W", bound=Widget)
_named: "WeakKeyDictionary[Widget, tuple[str, str]]" = WeakKeyDictionary()


def framed(widget: W, title: str = "", first: bool = False) -> W:
    """The widget, in a frame.

    Args:
        first: it stands right below the tabs.
    """
    widget.add_class(FRAMED, *((FIRST,) if first else ()))
    name_frame(widget, title)
    return widget


def name_frame(widget: Widget, title: str, about: str = "") -> None:
    """Title a frame; texts are made safe here, and never read as markup. What is there already is not drawn again."""
    if in_words():
        _named[widget] = title, about
        parts = [said(each) for each in (title, about) if each]
        has_focus = widget.is_attached and widget.has_focus_within
        title, about = ", ".join([*parts, *([FOCUS] if has_focus and FRAMED in widget.classes else [])]), ""
    for name, text in (("border_title", title), ("border_subtitle", about)):
        content = _Title(f" {safe_text(text)} ")
        if (getattr(widget, name) or "") != content.markup:
            setattr(widget, name, content if text else None)


class _Title(Content):
    """A text between two spaces, which are all there are: Textual adds others beside corners, and only there."""

    def pad_left(self, count: int, character: str = " ") -> Content:
        return self

    def pad_right(self, count: int, character: str = " ") -> Content:
        return self

    def truncate(self, max_width: int, *, ellipsis: bool = False, pad: bool = False) -> Content:
        """Keeps the space at the end of what is cut."""
        return self if self.cell_length <= max_width else _Title(f"{cut(self.plain.rstrip(), max_width - 1)} ")


def say_focus(screen: Widget) -> None:
    """Name the frames of a screen again: the focus has come to another one."""
    for widget in screen.query(f".{FRAMED}"):
        if widget in _named:
            name_frame(widget, *_named[widget])
