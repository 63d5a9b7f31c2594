"""Every figure of the paper beside our runs of it, and its claims with verdicts; and what is missing, to be queued."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.facts import wrapped
from bertmt.drawing.styled import Line, Span
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.paper.table import PaperRow, paper_table
from bertmt.services.plan.submit import Plan
from tui.actions.lacking import queue_lacking
from tui.bindings import key
from tui.dialogs.choice import Choice, Option
from tui.registry_lane import Session
from tui.screens.home_screen import HomeScreen
from tui.screens.paper.claim_columns import COLUMNS as CLAIM_COLUMNS
from tui.screens.paper.claim_columns import claim_cell
from tui.screens.paper.columns import COLUMNS, FigureLine, figure_cell
from tui.screens.paper.formatting import claim_page, figure_page
from tui.screens.paper.judging import Judged, Wanted, judge, plan_missing, with_cells
from tui.widgets.frame import framed, name_frame
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.tables.table import Table

if TYPE_CHECKING:
    from bertmt.services.analysis.paper.claims import JudgedClaim

TITLES = {False: "The paper's figures and ours", True: "The paper's claims and our verdicts"}
PAGE_TITLES = {False: "Figure at the cursor", True: "Claim at the cursor"}


class PaperScreen(HomeScreen):
    """The paper's figures, or its claims, and all about the one under the cursor."""

    MODE = "paper"
    SUBJECT = "the paper"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "A row per model of the paper, and our controls. Beside each score that the paper reports is our mean "
        "over seeds at one scale; a run belongs to the preset whose toggles its recipe equals.",
        "Δ is ours − the paper's, the mean over the tasks that both have, STS as S = (1 + ρ)/2. It has a colour only "
        "where the scale (encoder, epochs, batch, learning rate …) is the paper's; * is the paper's test set, ours are "
        "dev. Inside: the paper's single run lies where 95 % of ours do.",
        "Ctrl-K goes to the claims and back. Each is judged on pairs of our runs in which one toggle changes, once "
        "there are as many paired seeds as can decide; the paper's own pair stands beside it, confounded where it is.",
        "Enter opens the best run, or the form where we have none. Tab goes to the text below, and back. Ctrl-S queues "
        "what is missing, of the row at the cursor or of all, at the scale of the runs there; it asks first.",
    )
    DEFAULT_CSS = """
    PaperScreen Table { height: 5fr; }
    PaperScreen Page { height: 5fr; padding: 0 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("n", "new", "new", "Queue runs of this preset.", "paper.new", shown=True),
        key("ctrl+k", "claims", "claims", "From the figures to the claims, and back.", "paper.claims", shown=True,
            display="^k"),
        key("ctrl+s", "queue", "queue", "Queue what is missing of the paper; asks first.", "paper.queue", shown=True,
            display="^s"),
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
        self._at = ""  # the preset or the claim that the page is about
        self._judged = Judged()
        self._of_claims = False

    def compose(self) -> ComposeResult:
        yield HomeLine("paper")
        table: Table[FigureLine] = Table(COLUMNS, figure_cell, lambda figure: figure.key, id="figures")
        claims: Table[JudgedClaim] = Table(CLAIM_COLUMNS, claim_cell, lambda judged: judged.claim.id, id="claims")
        yield framed(table, TITLES[False], first=True)
        yield framed(claims, TITLES[True], first=True)
        yield framed(Page(id="figure"), PAGE_TITLES[False])
        yield KeyLine()

    def on_mount(self) -> None:
        self.claims.add_class("hidden")
        self.table.focus()

    @property
    def table(self) -> "Table[FigureLine]":
        """The figures."""
        return self.query_one("#figures", Table)

    @property
    def claims(self) -> "Table[JudgedClaim]":
        """The claims."""
        return self.query_one("#claims", Table)

    async def load(self) -> None:
        runs, rows, counts = await self.dashboard.ask(_read)
        self.query_one(HomeLine).show_counts(counts)
        lines = [FigureLine(row, self._place(row)) for row in rows]
        self.table.show(with_cells(lines, self._judged))
        before = self._judged
        judged = await self.dashboard.ask(lambda session: judge(session, runs, lines, before), slow=True)
        if judged is not before and not self.is_left:
            self._judged = judged
            self.table.show(with_cells(lines, judged))
            self.claims.show(judged.found.claims if judged.found is not None else ())
            self.query_one("#figure", Page).show(self._page)

    def _place(self, row: PaperRow) -> int:
        """Which scale is shown; the newest where none was chosen."""
        chosen = self._chosen.get(row.preset.name)
        return next((index for index, entry in enumerate(row.measured) if entry.runs[0].key == chosen), 0)

    @on(Table.Moved)
    def _moved(self) -> None:
        """The page is that of the cursor's row, from its top where it is another row."""
        page, current = self.query_one("#figure", Page), self._current_key
        page.show(self._page)
        if current != self._at:
            self._at = current
            page.action_first()

    @property
    def _current_key(self) -> str:
        """What the cursor is on: a preset, or a claim."""
        if self._of_claims:
            return self.claims.current.claim.id if self.claims.current is not None else ""
        return self.table.current.key if self.table.current is not None else ""

    def _page(self, width: int) -> list[Line]:
        if not self._of_claims:
            figure = self.table.current
            return figure_page(figure, self._judged, width, self.dashboard.ascii_only) if figure is not None else []
        if self.claims.current is None:
            return [(Span(part, "dim"),) for part in wrapped("Looking for pairs …", width)]
        return claim_page(self.claims.current, width)

    def action_claims(self) -> None:
        """From the figures to the claims, or back."""
        self._of_claims = not self._of_claims
        self.table.set_class(self._of_claims, "hidden")
        self.claims.set_class(not self._of_claims, "hidden")
        (self.claims if self._of_claims else self.table).focus()
        name_frame(self.query_one("#figure", Page), PAGE_TITLES[self._of_claims])
        self._moved()

    @on(Table.Chosen, "#figures")
    def _figure_chosen(self) -> None:
        """Open the run behind the row, or the form for one."""
        figure = self.table.current
        if figure is not None and figure.entry is not None:
            self.open_screen(self.dashboard.run_screen(figure.entry.best_run))
        else:
            self.action_new()

    @on(Table.Chosen, "#claims")
    def _claim_chosen(self) -> None:
        """Open the comparison of the two arms, where there are runs of both."""
        judged = self.claims.current
        arms = next((each.arms for each in judged.own if each.arms is not None), None) if judged is not None else None
        if arms is None:
            self.dashboard.notify("No two runs of ours are a pair for this claim yet; Ctrl-S queues what is missing.")
            return
        self.open_screen(self.dashboard.comparison_screen([*arms.control.values(), *arms.changed.values()]))

    def action_new(self) -> None:
        """The form for runs of the preset under the cursor; of a claim, of what was changed."""
        if not self.dashboard.may_write():
            return
        judged, figure = self.claims.current, self.table.current
        if self._of_claims and judged is not None:
            self.open_screen(self.dashboard.new_run_screen(preset_name=judged.claim.own[0].changed.preset))
        elif not self._of_claims and figure is not None:
            self.open_screen(self.dashboard.new_run_screen(preset_name=figure.key))

    @work(group="act")
    async def action_queue(self) -> None:
        """Queue what is missing, of the row at the cursor or of all, once a person has seen how much that is."""
        if not self.dashboard.may_write():
            return
        what = self._current_key
        options = [Option(what, what, "with its pairs"), Option("", "everything", "all figures and claims")]
        chosen = await self.dashboard.ask_person(Choice("Queue what is missing of", options[not what :]))
        if chosen is None:
            return
        wanted, folder = self._wanted(is_all=not chosen), self.dashboard.registry.parent

        def planned(session: Session) -> tuple[Plan | None, list[str]]:
            return plan_missing(session, wanted, folder)

        if await queue_lacking(self.dashboard, planned, "of the paper"):
            self.reload()

    def _wanted(self, is_all: bool) -> Wanted:
        """The row at the cursor or all, at the scale that is shown of it, or else of any."""
        judged, figure = self.claims.current, self.table.current
        like = [run for line in self.table.rows if line.entry is not None for run in line.entry.runs]
        if self._of_claims and judged is not None:
            own = judged.runs or like
            return Wanted(None, None, own) if is_all else Wanted(None, judged.claim, own)
        own = list(figure.entry.runs) if figure is not None and figure.entry is not None else like
        return Wanted(None if is_all or figure is None else figure.key, None, own)

    def action_scale(self, places: int) -> None:
        """Show another scale of the row under the cursor."""
        figure = self.table.current
        if figure is None or self._of_claims or len(figure.row.measured) < 2:
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


def _read(session: Session) -> tuple[list[Run], tuple[PaperRow, ...], Mapping[State, int]]:
    """On the registry's thread."""
    session.runs.refresh()
    runs = [row.run for row in session.runs.rows()]
    return runs, paper_table(runs), session.runs.counts()
