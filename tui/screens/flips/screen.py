"""Which dev examples one run fixed and broke since another: by cell, with the sentences of the cell at the cursor."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.changes.flip_formatting import format_summary
from bertmt.services.analysis.changes.flips import TwoRuns, two_runs
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.screens.flips.rows import COLUMNS, OF_NUMBERS, FlipRow, flip_cell, rows_of, sentence_page
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

OF_TASKS = ("next_task", "other_task")


class FlipsScreen(DashboardScreen):
    """What became of each mistake from the first run to the second.

    Args:
        first: the one that is compared with.
        seeds: how many seeds the arm has that each of them stands for.
    """

    SUBJECT = "fixed and broken examples"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "A row per cell of the confusion matrix that a mistake moved in or out of: fixed, broken, or wrong in both for "
        "another class. The sentences below are those that either run puts into the cell, the surest mistakes first.",
        "Of a task of numbers: predictions that came closer to their label, and those that are farther from it, by the "
        "best straight line in the predictions of each run, since a correlation leaves their scale open.",
        "At the cells Tab goes to the next task, as ] does. Enter goes to the sentences, and Tab back to the cells. "
        "Counts alone; no cell is tested.",
    )
    DEFAULT_CSS = """
    FlipsScreen #title { height: 1; background: $panel; }
    FlipsScreen #summary { height: auto; max-height: 40%; padding: 0 1; scrollbar-gutter: stable; }
    FlipsScreen Table { height: 2fr; }
    FlipsScreen #sentences { height: 3fr; padding: 0 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab", "next_task", "task", "The next task.", "flips.next_task", shown=True, display="Tab"),
        key("tab", "cells", "cells", "Go back to the cells.", "flips.cells", shown=True, display="Tab"),
        key("tab", "app.focus_next", "next pane", "Go to the next pane.", "flips.pane"),
        key("right_square_bracket", "other_task(1)", "next", "The next task.", "flips.task", True, "]"),
        key("left_square_bracket", "other_task(-1)", "previous", "The task before.", "flips.task_back", display="["),
    ]

    def __init__(self, first: Run, second: Run, seeds: tuple[int, int] = (1, 1)):
        super().__init__()
        self._runs = (first, second)
        self._seeds = seeds
        self._tasks = tuple(name for name in first.tasks if name in second.tasks)
        self._place = 0
        self._found: TwoRuns | None = None
        self._problem = ""
        self._at = ""

    def compose(self) -> ComposeResult:
        yield TextLines(self._title, id="title")
        yield framed(Page(self._summary, id="summary"), "From run to run", first=True)
        table: Table[FlipRow] = Table(COLUMNS, flip_cell, lambda row: row.key, id="cells")
        yield framed(table, "Mistakes")
        yield framed(Page(id="sentences"), "Examples")
        yield KeyLine()

    def on_mount(self) -> None:
        self.table.focus()

    @property
    def table(self) -> "Table[FlipRow]":
        """The cells."""
        return self.query_one("#cells", Table)

    @property
    def _task_name(self) -> str | None:
        return self._tasks[self._place % len(self._tasks)] if self._tasks else None

    async def load(self) -> None:
        """Read once for each task: what finished runs predicted does not change."""
        task = self._task_name
        if self._found is not None and self._found.b.task == task:
            return
        found, problem = await self.dashboard.ask(lambda session: _read(session, *self._runs, task), slow=True)
        self._found, self._problem, self._at = found, problem, ""
        self.table.show_columns(COLUMNS if found is None or found.about.classes else OF_NUMBERS)
        self.table.show(rows_of(found) if found is not None else [])
        self.query_one("#summary", Page).show(self._summary)
        self.query_one("#title", TextLines).remake()
        self.query_one("#sentences", Page).show(self._sentences)

    def _title(self, width: int) -> list[Line]:
        """The tasks of both runs, the one that is shown in bold."""
        names = (self._runs[1].tasks[name].title for name in self._tasks)
        chosen = self._place % len(self._tasks) if self._tasks else 0
        spans = [Span(f" {safe_text(name)} ", "title" if at == chosen else "dim") for at, name in enumerate(names)]
        return [cut_line(line(" ", Span("fixed and broken", "title"), "  ", *spans), width)]

    def _summary(self, width: int) -> list[Line]:
        if self._problem:
            return [(Span(part, "dim"),) for part in wrapped(safe_text(self._problem), width)]
        return (
            format_summary(self._found, width, self._seeds)
            if self._found is not None
            else [(Span("Comparing …", "dim"),)]
        )

    def _sentences(self, width: int) -> list[Line]:
        row = self.table.current
        return list(sentence_page(self._found, row, width)) if self._found is not None and row is not None else []

    @on(Table.Moved, "#cells")
    def _moved(self) -> None:
        """The sentences are those of the cursor's cell, from the first where it is another cell."""
        row, page = self.table.current, self.query_one("#sentences", Page)
        if row is not None and row.key != self._at:
            self._at = row.key
            page.show(self._sentences)
            page.action_first()

    @on(Table.Chosen, "#cells")
    def _chosen(self) -> None:
        self.query_one("#sentences", Page).focus()

    def action_other_task(self, places: int) -> None:
        """Show another task of both runs."""
        if len(self._tasks) > 1:
            self._place += places
            self.table.cursor = 0
            self.reload()

    def action_next_task(self) -> None:
        self.action_other_task(1)

    def action_cells(self) -> None:
        self.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There may be one task alone; Tab goes to the next from the cells, and else to them."""
        is_at_cells = isinstance(self.focused, Table)
        if action == "cells":
            return not is_at_cells
        return len(self._tasks) > 1 and (is_at_cells or action == "other_task") if action in OF_TASKS else True


def _read(session: Session, first: Run, second: Run, task: str | None) -> tuple[TwoRuns | None, str]:
    """On the registry's thread: the two runs, and what they add up to, which takes longest; or why there is none."""
    try:
        found = two_runs(session.database, first, second, task)
        _ = (found.measured, found.kinds, found.cells)
    except RegistryError:
        raise
    except BertmtError as problem:
        return None, str(problem)
    return found, ""
