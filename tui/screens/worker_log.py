"""What the workers that were started in the background write, as it comes."""

from typing import ClassVar

from textual.app import ComposeResult

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.services.browse.log_reader import LogReader, is_error_line
from bertmt.services.lifecycle.workers import worker_log
from tui.screens.dashboard_screen import DashboardScreen
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.text_lines import TextLines

SHOWN_LINES = 1000
EMPTY = (
    "Nothing is written there yet. Workers that are started here, or with `bertmt worker --detach`, write to this log; "
    "one that works in a terminal writes there."
)


class WorkerLogScreen(DashboardScreen):
    """The end of the log; it is followed while its end is in sight."""

    SUBJECT = "the workers' log"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "All workers of this registry that were started in the background write here. G goes to the end, and stays.",
    )
    DEFAULT_CSS = """
    WorkerLogScreen #title { height: 1; background: $panel; }
    WorkerLogScreen Page { padding: 0 1; scrollbar-gutter: stable; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._reader: LogReader | None = None
        self._logged: list[str] = []

    def compose(self) -> ComposeResult:
        yield TextLines(self._title_lines, id="title")
        yield framed(Page(self._log_lines, id="log"), "Log", first=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(Page).focus()

    async def load(self) -> None:
        reader = self._reader = self._reader or LogReader(worker_log(self.dashboard.registry), SHOWN_LINES)
        is_first = not self._logged

        def read() -> list[str]:
            reader.poll()
            return [*reader.lines, *([reader.unfinished] if reader.unfinished else [])]

        logged = await self.dashboard.ask(lambda session: read())
        if logged == self._logged:
            return
        page = self.query_one(Page)
        is_at_end = is_first or page.scroll_y >= page.max_scroll_y
        self._logged = logged
        page.show(self._log_lines)
        if is_at_end:
            self.call_after_refresh(page.action_last)

    def _title_lines(self, width: int) -> list[Line]:
        place = Span(safe_text(str(worker_log(self.dashboard.registry))), "dim")
        return [cut_line(line(Span(" Workers' log  ", "title"), place), width)]

    def _log_lines(self, width: int) -> list[Line]:
        if not self._logged:
            return [line(Span(part, "dim")) for part in wrapped(EMPTY, width)]
        return [
            line(Span(part, "bad" if is_error_line(text) else ""))
            for text in self._logged
            for part in wrapped(safe_text(text), width) or [""]
        ]
