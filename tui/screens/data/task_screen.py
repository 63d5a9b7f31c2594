"""The data of one task: what an audit finds, and every example of its splits."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.geometry import Size

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.errors import BertmtError
from bertmt.recipe.recipe import Recipe
from bertmt.services.tasks.audit import TaskAudit, audit_of, read_splits
from bertmt.services.tasks.findings import Finding, findings
from bertmt.tasks.examples import Split
from bertmt.tasks.task import SPLITS, Task
from tui.bindings import key
from tui.plain.words import in_words
from tui.screens.dashboard_screen import DashboardScreen
from tui.screens.data.examples import TaskExamples
from tui.screens.data.lines import Draw, about_labels, about_lengths, about_splits, whole_audit
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.tab_line import TabLine

TABS = ("Audit", *SPLITS)
AUDIT = 0
ONE_PAGE = Size(120, 36)  # cells from which on all stands on one page


class TaskDataScreen(DashboardScreen):
    """It reads the data once, on a thread of its own; who leaves before forgets them.

    Args:
        recipe: names the data, the encoder whose tokens are counted, and `max_length`.
        chose_encoder: as `audit_of` has it.
    """

    SUBJECT = "a task's data"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "What `bertmt task audit` finds, and the examples behind it: H goes through those that stand in the training "
        "data too, that repeat an earlier one, whose equal texts have other labels, that have none.",
        "Lengths are of sentences in tokens of the encoder; what is behind the cut is never read by it.",
    )
    MAKES_REGISTRY = True
    DEFAULT_CSS = """
    TaskDataScreen Page { padding: 0 1; }
    TaskDataScreen #panes { height: 1fr; }
    TaskDataScreen .audit { display: none; }
    TaskDataScreen.one-page #panes { layout: grid; grid-size: 2; grid-columns: 7fr 5fr; grid-rows: 5fr 7fr; }
    TaskDataScreen.one-page .audit { display: block; }
    TaskDataScreen #splits { padding: 0; }
    TaskDataScreen.one-page #whole { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key(str(index + 1), f"open({index})", tab.lower(), f"Open {tab}.", f"data.tab{index + 1}")
        for index, tab in enumerate(TABS)
    ]

    def __init__(self, task: Task, recipe: Recipe, chose_encoder: bool):
        super().__init__()
        self.about = task
        self._recipe, self._chose_encoder = recipe, chose_encoder
        self.tab = AUDIT
        self._split_name = "train"
        self._splits: Mapping[str, Split] = {}
        self._findings: Mapping[str, Mapping[Finding, np.ndarray]] = {}
        self._audit: TaskAudit | None = None
        self._said = f"Reading the data of {task.title} …"

    def compose(self) -> ComposeResult:
        yield TabLine(TABS, self.tab, (Span(f"The data of {safe_text(self.about.title)}", "title"),))
        with Container(id="panes"):
            yield framed(Page(lambda width: self._lines(whole_audit, width), id="whole"), "Audit", first=True)
            yield self._pane("splits", "Splits", about_splits)
            yield self._pane("labels", "Labels", about_labels)
            yield framed(TaskExamples(self.about, id="examples"), "Examples")
            yield self._pane("lengths", "Lengths", about_lengths)
        yield KeyLine()

    def _pane(self, name: str, title: str, draw: Draw) -> Page:
        says = name == "splits"  # one of the panes on a page says what is waited for, or why there is nothing
        return framed(Page(lambda width: self._lines(draw, width, says), id=name, classes="audit"), title)

    def on_mount(self) -> None:
        self._arrange()
        self._focus()
        self._read()

    @property
    def shows_all(self) -> bool:
        """Whether all stands on one page."""
        return not in_words() and self.size.width >= ONE_PAGE.width and self.size.height >= ONE_PAGE.height

    @property
    def examples(self) -> TaskExamples:
        """The list of examples."""
        return self.query_one(TaskExamples)

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        """First the examples, then which of them an audit speaks of, then the audit, each as soon as it is there."""
        try:
            self._splits = await asyncio.to_thread(read_splits, self.about, self._recipe)
            self._said = f"Looking at {sum(len(each.examples) for each in self._splits.values()):,} examples …"
            self._show()
            self._findings = await asyncio.to_thread(findings, self._splits)
            self._show()
            self._audit = await asyncio.to_thread(audit_of, self.about, self._recipe, self._splits, self._chose_encoder)
        except BertmtError as problem:
            self._said = "\n".join(problem.problems)
        self._show()

    def _show(self) -> None:
        if self.is_left:
            return
        split = self._splits.get(self._split_name)
        if split is not None:
            self.examples.show(split, self._findings.get(split.name, {}))
        for page in self.query(Page):
            page.remake()

    def _lines(self, draw: Draw, width: int, says: bool = True) -> list[Line]:
        if self._audit is not None:
            return draw(self._audit, width)
        if not says:
            return []
        said = [part for each in self._said.split("\n") for part in wrapped(safe_text(each), width)]
        return [line(Span(part, "dim" if self._splits else "")) for part in said]

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        self.set_class(self.shows_all, "one-page")
        self.query_one("#whole").set_class(self.tab != AUDIT, "hidden")
        self.examples.set_class(self.tab == AUDIT and not self.shows_all, "hidden")
        self.query_one(TabLine).active = self.tab

    def _focus(self) -> None:
        if self.tab != AUDIT:
            self.examples.rows.focus()
        else:
            self.query_one("#splits" if self.shows_all else "#whole").focus()

    def action_open(self, tab: int) -> None:
        """Open the audit, or the examples of a split."""
        name = TABS[tab]
        if tab != AUDIT and self._splits and name not in self._splits:
            self.dashboard.notify(f"{self.about.title} has no {name} split here.")
            return
        self.tab = tab
        self._split_name = name if tab != AUDIT else self._split_name
        self._arrange()
        self._focus()
        self._show()

    @on(TabLine.Selected)
    def _tab_clicked(self, event: TabLine.Selected) -> None:
        self.action_open(event.index)

    def action_back(self) -> None:
        if not self.examples.leave_open():
            super().action_back()
