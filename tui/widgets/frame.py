"""The frame of a pane: a title in its upper border, and in its lower one, where there is one, what is said about it.

How it looks stands in `styles/dashboard.tcss`: bright where keys go, quiet elsewhere. Where the terminal is small a
frame is its upper line alone, and of the first pane, which the tabs above name, not even that: no row is lost to it.
"""

from typing import TypeVar

from textual.content import Content
from textual.widget import Widget

from bertmt.drawing.safe_text import safe_text

FRAMED, FIRST = "framed", "first"
W = TypeVar("W", bound=Widget)


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
    for name, text in (("border_title", title), ("border_subtitle", about)):
        content = Content(f" {safe_text(text)} ")  # Textual sets a space beside corners alone
        if (getattr(widget, name) or "") != content.markup:
            setattr(widget, name, content if text else None)
