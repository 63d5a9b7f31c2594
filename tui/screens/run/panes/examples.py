"""Every dev example with what a run made of it: all, the wrong ones, those that the baseline had right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.analysis.evaluations import Evaluated
from bertmt.services.analysis.example_choice import (
    KIND_MEANINGS,
    KINDS,
    ORDER_MEANINGS,
    Kind,
    Order,
    Searched,
    kinds_of,
    ordered,
    orders_of,
)
from bertmt.services.analysis.examples import ExampleTable
from bertmt.services.browse.find.found import Found
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.screens.run.panes.epoch_pane import EpochPane, baseline_of
from tui.screens.run.widgets.click_line import ClickLine, Piece, tab_pieces
from tui.screens.run.widgets.epoch_line import EpochLine
from tui.screens.run.widgets.example_lines import task_in
from tui.screens.run.widgets.example_list import ExampleList, nothing_here
from tui.widgets.frame import framed, name_frame
from tui.widgets.tables.table import Table

ARROWS: Mapping[Order, str] = {
    "surest": "-confidence",
    "unsurest": "confidence",
    "farthest": "-error",
    "nearest": "error",
    "file": "",
}


@dataclass(frozen=True)
class Choice:
    """What one look brings.

    Attributes:
        baseline: the same examples as the run compared with predicted them; None where there is none.
        no_baseline: why there is none.
        kinds: the indices of each kind.
        searched: the texts as they are searched; None while nothing is looked for.
    """

    evaluated: Mapping[str, Evaluated]
    table: ExampleTable
    baseline: ExampleTable | None
    no_baseline: str
    kinds: Mapping[Kind, np.ndarray]
    searched: Searched | None


class ExamplesPane(EpochPane):
    """A list with four kinds of examples, words to look for, and orders."""

    TITLE = "Examples"
    SUBJECT = "A list of examples"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "The examples of the dev split: " + "; ".join(f"{kind}: {what}" for kind, what in KIND_MEANINGS.items()) + ".",
        "The bars are the probabilities of the classes. A number as label has no classes: then the list goes by how "
        "far a prediction is from it.",
    )
    DEFAULT_CSS = """
    ExamplesPane #words { border: none; height: 1; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "exclamation_mark",
            "kind",
            "wrong",
            "Wrong ones, broken ones, fixed ones, all.",
            "examples.kind",
            shown=True,
            display="!",
        ),
        key("slash", "search", "filter", "Search for words.", "examples.search", shown=True, display="/"),
        key(
            "ctrl+t", "try_example", "try", "Change this example's words, and see what runs say.", "examples.try", True
        ),
        key("o", "order", "order", "By confidence or error, or as in the data.", "examples.order"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: Choice | None = None
        self._kind: Kind = "all"
        self._orders: dict[str, Order] = {}  # by task
        self._words = ""
        self._wanted: int | None = None  # the example that the cursor is to go to

    def go_to(self, found: Found) -> None:
        self.task_name, self.scrub.epoch = found.task, found.run.scores.selected_epoch
        self._kind, self._wanted = "all", found.example

    def compose(self) -> ComposeResult:
        yield EpochLine()
        yield ClickLine(id="kinds")
        yield Input(placeholder="words in a sentence, or an id", id="words", classes="hidden")
        yield framed(ExampleList(), "Examples", first=True)

    def focus_first(self) -> None:
        self.query_one(ExampleList).rows.focus()

    async def read_and_show(self, run: Run) -> None:
        known, is_searching = self._found, bool(self._words)
        found = await self.dashboard.ask(lambda session: self._read(session, run, known, is_searching), slow=True)
        is_same = known is not None and known.table is found.table and known.baseline is found.baseline
        self.now_shown(found.evaluated)
        self._found = found
        self.query_one(EpochLine).show_epoch(
            found.evaluated, run.tasks, self.task_name, found.table.place, tabs=tuple(found.evaluated)
        )
        name_frame(self.query_one(ExampleList), f"Examples, {self.moment}")
        if not is_same or known is None or (found.searched is not known.searched):
            self._list(restart=False)
        if self._wanted is not None:
            self.query_one(ExampleList).rows.go_to(self._wanted)
            self._wanted = None
            self.scrub.go_to(self.epoch, found.evaluated[self.task_name])  # at the selected one it stays that

    def _read(self, session: Session, run: Run, known: Choice | None, is_searching: bool) -> Choice:
        """On the registry's thread."""
        evaluated = self.look_up(session, run)
        task = self.task_of(evaluated)
        table = self.read_task(session, run, evaluated[task], {known.table.task: known.table} if known else {})
        baseline, problem = None, ""
        try:
            of_task = known.baseline if known is not None and known.table.task == task else None
            baseline = baseline_of(session, table, of_task)
        except BertmtError as reason:
            problem = str(reason)
        searched = known.searched if known else None
        if is_searching and (searched is None or searched.fingerprint != table.fingerprint):
            searched = Searched.of(table)
        if known is not None and known.table is table and known.baseline is baseline:
            return Choice(evaluated, table, baseline, problem, known.kinds, searched)
        return Choice(evaluated, table, baseline, problem, kinds_of(table, baseline), searched)

    @property
    def _order(self) -> Order:
        assert self._found is not None
        return self._orders.get(self.task_name) or orders_of(self._found.table)[0]

    def _list(self, restart: bool) -> None:
        """Show the examples of the kind that hold the words, in their order."""
        found = self._found
        if found is None:
            return
        kind = self._kind if self._kind in found.kinds else "all"
        indices = found.kinds[kind]
        if self._words and found.searched is not None:
            indices = indices[found.searched.with_words(self._words)[indices]]
        self._show_kinds(found, kind, len(indices))
        words = f" with “{safe_text(self._words)}”" if self._words else ""
        self.query_one(ExampleList).show(
            found.table,
            ordered(found.table, indices, self._order),
            found.baseline,
            empty=nothing_here(f"There are none{words}: {KIND_MEANINGS[kind]}."),
            sorted_by=ARROWS[self._order],
            restart=restart,
        )

    def _show_kinds(self, found: Choice, kind: Kind, matching: int) -> None:
        """The kinds with how many there are of each; behind them the order, and how many hold the words."""
        names = [(f"{each} {numbers.count(len(found.kinds[each]))}", each) for each in KINDS if each in found.kinds]
        tabs = tab_pieces(names, kind)
        if found.baseline is not None and found.table.confidence is not None:
            tabs.append(Piece(f" against {found.baseline.run.id}", "dim"))
        words = [Piece(f"  “{safe_text(self._words)}”: {numbers.count(matching)}", "accent")] if self._words else []
        order = Piece(f"  {ORDER_MEANINGS[self._order]}", "dim", "order")
        reason = Piece(f"  {safe_text(found.no_baseline)}", "dim")
        self.query_one("#kinds", ClickLine).show(
            [*tabs, *words, order, reason], [*tabs, *words, order], [*tabs, *words], [*words, *tabs]
        )

    def action_kind(self) -> None:
        """The next kind that there is."""
        if self._found is None:
            return
        kinds = list(self._found.kinds)
        if len(kinds) == 1:
            self.dashboard.notify(
                f"{task_in(self._found.table).title} has no classes: none of its predictions is right or wrong."
            )
        else:
            place = kinds.index(self._kind) if self._kind in kinds else 0
            self._choose_kind(kinds[(place + 1) % len(kinds)])

    def _choose_kind(self, kind: Kind) -> None:
        self._kind = kind
        self._list(restart=True)

    @on(ClickLine.Clicked, "#kinds")
    def _kind_clicked(self, event: ClickLine.Clicked) -> None:
        event.stop()
        if event.hit == "order":
            self.action_order()
        for kind in KINDS:
            if event.hit == kind:
                self._choose_kind(kind)

    def action_order(self) -> None:
        """The next order that makes sense."""
        if self._found is not None:
            orders = orders_of(self._found.table)
            self._choose_order(orders[(orders.index(self._order) + 1) % len(orders)])

    def _choose_order(self, order: Order) -> None:
        self._orders[self.task_name] = order
        self._list(restart=True)

    @on(Table.TitleClicked)
    def _title_clicked(self, event: Table.TitleClicked) -> None:
        """Most first; a second time the other way round."""
        downwards, upwards = {"confidence": ("surest", "unsurest"), "error": ("farthest", "nearest")}.get(
            event.column.field, ("file", "file")
        )
        self._choose_order("file" if downwards == "file" else upwards if self._order == downwards else downwards)  # type: ignore[arg-type]

    def action_try_example(self) -> None:
        """What if I change this word?"""
        index = self.query_one(ExampleList).rows.current
        screen = self.screen
        if self._found is not None and index is not None and isinstance(screen, DashboardScreen):
            example = self._found.table.examples[index]
            screen.open_screen(self.dashboard.try_screen([self._found.table.run], example.first, example.second or ""))

    def action_search(self) -> None:
        field = self.query_one("#words", Input)
        field.remove_class("hidden")
        field.focus()

    @on(Input.Changed, "#words")
    def _typed(self, event: Input.Changed) -> None:
        if event.value == self._words:
            return
        self._words = event.value
        if self._words and self._found is not None and self._found.searched is None:
            self.show_anew()
        else:
            self._list(restart=False)

    @on(Input.Submitted, "#words")
    def _entered(self) -> None:
        self._close_search()

    def _close_search(self) -> None:
        field = self.query_one("#words", Input)
        field.set_class(not self._words, "hidden")
        self.focus_first()

    def action_task(self, step: int) -> None:
        """From the words to the list, else to another task."""
        if self.query_one("#words", Input).has_focus:
            self._close_search()
        else:
            super().action_task(step)

    def leave_open(self) -> bool:
        """Leave the words' line, else take the words away, else show all kinds again."""
        field = self.query_one("#words", Input)
        if field.has_focus:
            self._close_search()
        elif self._words:
            field.value = ""
            field.add_class("hidden")
        elif self._kind != "all":
            self._choose_kind("all")
        else:
            return False
        return True
