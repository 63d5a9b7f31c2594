"""One line with the screen's tabs, by number, and at its right what a person always wants to see."""

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from bertmt.drawing.styled import Line, Span, cells, cut_line, plain
from tui.plain.words import in_words, said_status
from tui.widgets.styled_lines import strip_of, styles_of

GAP = 2


class TabLine(Widget):
    """Tabs on the left, a status on the right; a click on a tab selects it.

    Args:
        tabs: their titles; `number title` is shown.
        title: what stands before them, its text safe.
    """

    DEFAULT_CSS = "TabLine { height: 1; background: $panel; }"
    active: reactive[int] = reactive(0)
    status: reactive[Line] = reactive(())
    shorter: reactive[tuple[Line, ...]] = reactive(())  # the same in less room, the longest first

    class Selected(Message):
        """A tab was clicked."""

        def __init__(self, index: int):
            super().__init__()
            self.index = index

    def __init__(self, tabs: Sequence[str], active: int = 0, title: Line = (), id: str | None = None):  # noqa: A002
        super().__init__(id=id)
        self.tabs = tuple(tabs)
        self.title_line = title
        self.set_reactive(TabLine.active, active)

    def render_line(self, y: int) -> Strip:
        if in_words():  # the status has a line of its own, tabs are never shortened
            return strip_of(
                said_status(self.status) if y else tuple(self._tab_spans(False)), styles_of(self), self.size.width
            )
        left, status = self._parts()
        room = max(self.size.width - _length(status), 0)
        shown = cut_line(tuple(left), room)
        space = Span(" " * (room - _length(shown)))
        return strip_of((*shown, space, *status), styles_of(self), self.size.width)

    def _parts(self) -> tuple[list[Span], Line]:
        """Tabs and status; where both do not fit, first the status becomes short, then the tabs that are not open."""
        for short in (False, True):
            tabs = self._tab_spans(short)
            for status in (self.status, *self.shorter):
                if _length(tabs) + _length(status) < self.size.width:
                    return tabs, status
        return tabs, status

    def _tab_spans(self, short: bool) -> list[Span]:
        spans = [Span(" "), *self.title_line, *([Span(" " * GAP)] if self.title_line else [])]
        for index, tab in enumerate(self.tabs):
            is_active = index == self.active
            text = f" {index + 1} " if short and not is_active else f" {index + 1} {tab} "
            if in_words():
                text = f" {index + 1} {tab}{', open' * is_active}"
            spans.append(Span(text, "cursor" if is_active else "dim"))
        return spans

    def on_click(self, event: events.Click) -> None:
        spans, _ = self._parts()
        start = _length(spans[: len(spans) - len(self.tabs)])
        for index, span in enumerate(spans[len(spans) - len(self.tabs) :]):
            end = start + cells(span.text)
            if start <= event.x < end:
                self.post_message(self.Selected(index))
                return
            start = end


def _length(spans: Sequence[Span]) -> int:
    return cells(plain(tuple(spans)))
