"""One line with the screen's tabs, by number, and at its right what a person always wants to see."""

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from bertmt.drawing.styled import Line, Span, cells, cut_line, plain
from tui.styled_lines import strip_of, styles_of

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

    def show_title(self, title: Line) -> None:
        """Replace what stands before the tabs."""
        self.title_line = title
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        left = self._tab_spans(short=False)
        right = cells(plain(self.status))
        if self._length(left) + right + 1 > width:  # the other tabs shrink to their numbers first
            left = self._tab_spans(short=True)
        room = max(width - right - 1, 0)
        left = list(cut_line(tuple(left), room))
        space = Span(" " * max(room - self._length(left), 0))
        return strip_of((*left, space, *self.status), styles_of(self), width)

    @staticmethod
    def _length(spans: Sequence[Span]) -> int:
        return cells(plain(tuple(spans)))

    def _tab_spans(self, short: bool) -> list[Span]:
        spans = [Span(" "), *self.title_line, *([Span(" " * GAP)] if self.title_line else [])]
        for index, tab in enumerate(self.tabs):
            is_active = index == self.active
            text = f" {index + 1} " if short and not is_active else f" {index + 1} {tab} "
            spans.append(Span(text, "cursor" if is_active else "dim"))
        return spans

    def on_click(self, event: events.Click) -> None:
        for short in (False, True):
            spans = self._tab_spans(short)
            if self._length(spans) + cells(plain(self.status)) + 1 <= self.size.width or short:
                break
        start = self._length(spans[: -len(self.tabs)]) if self.tabs else 0
        for index, span in enumerate(spans[-len(self.tabs) :]):
            end = start + cells(span.text)
            if start <= event.x < end:
                self.post_message(self.Selected(index))
                return
            start = end
