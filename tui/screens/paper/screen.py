"""Every figure of the paper beside our runs of it: what it reports, our mean over seeds, and the runs behind it."""

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.styled import Line
from bertmt.registry.states import State
from bertmt.services.analysis.paper.table import PaperRow, paper_table
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.home_screen import HomeScreen
from tui.screens.paper.columns import COLUMNS, FigureLine, figure_cell
from tui.screens.paper.formatting import figure_page
from tui.widgets.frame import framed
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.tables.table import Table


class PaperScreen(HomeScreen):
    """The paper's figures, and all about the one under the cursor."""

    MODE = "paper"
    SUBJECT = "the paper"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "A row per model of the paper, and our controls. Beside each score that the paper reports is our mean "
        "over seeds at one scale; a run belongs to the preset whose toggles its recipe equals.",
        "Δ is ours − the paper's, the mean over the tasks that both have, STS as S = (1 + ρ)/2; in the text below, "
        "of each score by itself, STS as ρ. It has a colour only where the scale (encoder, epochs, batch, learning "
        "rate …) is the paper's; * is the paper's test set, ours are dev.",
        "Enter opens the best run, or the form where we have none. Tab goes to the text below, and back.",
    )
    DEFAULT_CSS = """
    PaperScreen Table { height: 5fr; }
    PaperScreen Page { height: 5fr; padding: 0 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("n", "new", "new", "Queue runs of this preset.", "paper.new", shown=True),
        key("right_square_bracket", "scale(1)", "next", "Our runs at the next scale.", "paper.scale", True, "]"),
        key("left_square_bracket", "scale(-1)", "previous", "Our runs at the previous scale.", "paper.scale_back",
            display="["),
        key("right_curly_bracket", "missing", "jump", "Jump to the next figure without a run of ours.",
            "paper.missing", True, "}"),
        key("y", "copy_id", "copy id", "Copy the id of the best run to the terminal's clipboard.", "paper.copy"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        # Of a preset with several scales, the oldest run at the one that was chosen: it stays when others come.
        self._chosen: dict[str, int] = {}
        self._at = ""  # the preset that the page is about

    def compose(self) -> ComposeResult:
        yield HomeLine("paper")
        table: Table[FigureLine] = Table(COLUMNS, figure_cell, lambda figure: figure.key, id="figures")
        yield framed(table, "The paper's figures and ours", first=True)
        yield framed(Page(id="figure"), "Figure at the cursor")
        yield KeyLine()

    def on_mount(self) -> None:
        self.table.focus()

    @property
    def table(self) -> "Table[FigureLine]":
        """The figures."""
        return self.query_one("#figures", Table)

    async def load(self) -> None:
        rows, counts = await self.dashboard.ask(_read)
        self.query_one(HomeLine).show_counts(counts)
        self.table.show([FigureLine(row, self._place(row)) for row in rows])

    def _place(self, row: PaperRow) -> int:
        """Which scale is shown; the newest where none was chosen."""
        chosen = self._chosen.get(row.preset.name)
        return next((index for index, entry in enumerate(row.measured) if entry.runs[0].key == chosen), 0)

    @on(Table.Moved, "#figures")
    def _moved(self) -> None:
        """The page is that of the cursor's row, from its top where it is another row."""
        page, current = self.query_one("#figure", Page), self.table.current
        page.show(self._page)
        if current is not None and current.key != self._at:
            self._at = current.key
            page.action_first()

    def _page(self, width: int) -> list[Line]:
        return figure_page(self.table.current, width) if self.table.current is not None else []

    @on(Table.Chosen, "#figures")
    def _figure_chosen(self) -> None:
        """Open the run behind the row, or the form for one."""
        figure = self.table.current
        if figure is not None and figure.entry is not None:
            self.open_screen(self.dashboard.run_screen(figure.entry.best_run))
        else:
            self.action_new()

    def action_new(self) -> None:
        """The form for runs of the preset under the cursor."""
        if self.table.current is not None and self.dashboard.may_write():
            self.open_screen(self.dashboard.new_run_screen(preset_name=self.table.current.key))

    def action_scale(self, places: int) -> None:
        """Show another scale of the row under the cursor."""
        figure = self.table.current
        if figure is None or len(figure.row.measured) < 2:
            self.dashboard.notify("There is no other scale of this figure among our runs.")
            return
        place = (figure.place + places) % len(figure.row.measured)
        self._chosen[figure.key] = figure.row.measured[place].runs[0].key
        self.reload()

    def action_missing(self) -> None:
        """Go to the next figure without a run of ours, from the top again behind the last."""
        count, at = len(self.table.rows), self.table.cursor
        behind = ((at + step) % count for step in range(1, count + 1))
        found = next((place for place in behind if not self.table.rows[place].row.measured), None)
        if found is None:
            self.dashboard.notify("Every figure has a finished run.")
        else:
            self.table.cursor = found

    def action_copy_id(self) -> None:
        figure = self.table.current
        if figure is not None and figure.entry is not None:
            self.dashboard.copy(figure.entry.best_run.id)


def _read(session: Session) -> tuple[tuple[PaperRow, ...], Mapping[State, int]]:
    """On the registry's thread."""
    session.runs.refresh()
    return paper_table(row.run for row in session.runs.rows()), session.runs.counts()
