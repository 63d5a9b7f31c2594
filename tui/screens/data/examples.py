"""The examples of a split, to scroll through and to search: all, or those that an audit speaks of."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from bertmt.drawing import numbers
from bertmt.drawing.facts import facts
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut_line, line
from bertmt.services.analysis.example_choice import Searched
from bertmt.services.tasks.audit import label_text
from bertmt.services.tasks.findings import FINDINGS, Finding
from bertmt.tasks.examples import Example, Split
from bertmt.tasks.task import Task
from tui.bindings import key
from tui.widgets.examples.rows import ExampleRows, Indices
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

LONGEST_LABEL = 19
NUMBER_LABEL = 7
SMALLEST_WITH_DETAIL = 12  # lines from which on the example at the cursor is shown in full


class TaskExamples(Vertical):
    """A list of one split, the example at the cursor in full below it.

    Args:
        task: whose examples they are.
    """

    DEFAULT_CSS = """
    TaskExamples { height: 1fr; }
    TaskExamples #kinds { height: 1; }
    TaskExamples #words { border: none; height: 1; padding: 0 1; background: $panel; }
    TaskExamples .detail { height: auto; max-height: 40%; padding: 0 1; border-top: solid $border-blurred; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("H", "kind", "findings", "Examples that are in train too, repeated, conflicting, unlabelled; all.",
            "data.kind", shown=True),
        key("slash", "search", "filter", "Only examples with these words.", "data.search", shown=True, display="/"),
    ]  # fmt: skip

    def __init__(self, task: Task, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._about = task
        self._split: Split | None = None
        self._findings: Mapping[Finding, np.ndarray] = {}
        self._kind: Finding = "all"
        self._searched: dict[str, Searched] = {}  # by split, once something is looked for
        self._words = ""
        self._matching = 0

    def compose(self) -> ComposeResult:
        yield TextLines(self._kind_line, id="kinds")
        yield Input(placeholder="words in a sentence, or an id", id="words", classes="hidden")
        yield ExampleRows((), self._cell, lambda index: index)
        yield TextLines(self._detail, classes="detail")

    @property
    def rows(self) -> ExampleRows:
        """The table; its rows are indices."""
        return self.query_one(ExampleRows)

    def show(self, split: Split, found: Mapping[Finding, np.ndarray]) -> None:
        """Show a split, all of it at first.

        Args:
            found: the indices of each finding; empty while that is not known.
        """
        is_other = self._split is None or self._split.name != split.name
        self._split, self._findings = split, found
        if is_other or self._kind not in found:
            self._kind = "all"
        if is_other:
            self.rows.show(())
        self._list()

    @work(exclusive=True, group="search")
    async def _list(self) -> None:
        """The examples of the finding that hold the words, which are looked for on another thread."""
        split = self._split
        if split is None:
            return
        indices = self._findings.get(self._kind)
        indices = np.arange(len(split.examples)) if indices is None else indices
        if self._words:
            indices = indices[(await asyncio.to_thread(self._with_words, split, self._words))[indices]]
        self._matching = len(indices)
        self.rows.show_columns(self._columns())
        self.rows.show(Indices(indices))
        self.query_one("#kinds", TextLines).remake()
        self._show_detail()

    def _with_words(self, split: Split, words: str) -> np.ndarray:
        if split.name not in self._searched:
            self._searched[split.name] = Searched.of_examples(split.name, split.examples)
        return self._searched[split.name].with_words(words)

    def _columns(self) -> list[Column]:
        task = self._about
        longest = max(map(cells, map(safe_text, task.classes)), default=NUMBER_LABEL)
        label = Column(
            key="label",
            title="label",
            width=max(len("label"), min(longest, LONGEST_LABEL)),
            rank=2,
            right=not task.classes,
        )
        first = Column(key="first", title="first sentence" if task.pair else "sentence", width=16, rank=1, elastic=True)
        second = [Column(key="second", title="second sentence", width=16, rank=4, elastic=True)] if task.pair else []
        return [Column(key="id", title="id", width=9, rank=5, from_width=70), label, first, *second]

    def _cell(self, index: int, column: Column) -> Span:
        example = self._example(index)
        match column.key:
            case "id":
                return Span(safe_text(example.id), "dim")
            case "label":
                return Span(
                    safe_text(label_text(self._about, example.label)), "accent" if example.label is None else ""
                )
            case "first":
                return Span(safe_text(example.first.strip()))
            case _:
                return Span(safe_text((example.second or "").strip()))

    def _example(self, index: int) -> Example:
        assert self._split is not None  # there are no rows before
        return self._split.examples[index]

    def _kind_line(self, width: int) -> list[Line]:
        if self._split is None:
            return [line(Span("Reading …", "dim"))]
        spans = [Span(f" {safe_text(self._split.name)}  ", "title")]
        for kind in self._findings or {"all": np.arange(len(self._split.examples))}:
            count = len(self._findings[kind]) if kind in self._findings else len(self._split.examples)
            spans.append(Span(f" {kind} {numbers.count(count)} ", "cursor" if kind == self._kind else "dim"))
        if self._words:
            spans.append(Span(f"  “{safe_text(self._words)}”: {numbers.count(self._matching)}", "accent"))
        spans.append(Span(f"  {FINDINGS[self._kind]}", "dim"))
        return [cut_line(tuple(spans), width)]

    @on(Table.Moved)
    def _show_detail(self) -> None:
        detail = self.query_one(".detail", TextLines)
        detail.set_class(self.size.height < SMALLEST_WITH_DETAIL or self.rows.current is None, "hidden")
        detail.show(self._detail)

    def _detail(self, width: int) -> list[Line]:
        if self.rows.current is None or self._split is None or self.rows.current >= len(self._split.examples):
            return []
        example = self._example(self.rows.current)
        label = label_text(self._about, example.label)
        texts = {"first": example.first, "second": example.second} if self._about.pair else {"sentence": example.first}
        return facts({"id": example.id, "label": label, **{name: text or "" for name, text in texts.items()}}, width)

    def on_resize(self) -> None:
        self._show_detail()

    def action_kind(self) -> None:
        """The next finding that there is."""
        kinds = list(self._findings)
        if len(kinds) > 1:
            self._kind = kinds[(kinds.index(self._kind) + 1) % len(kinds)]
            self.rows.show(())
            self._list()

    def action_search(self) -> None:
        field = self.query_one("#words", Input)
        field.remove_class("hidden")
        field.focus()

    @on(Input.Changed, "#words")
    def _typed(self, event: Input.Changed) -> None:
        if event.value != self._words:
            self._words = event.value
            self._list()

    @on(Input.Submitted, "#words")
    def _entered(self) -> None:
        self._close_search()

    def _close_search(self) -> None:
        self.query_one("#words", Input).set_class(not self._words, "hidden")
        self.rows.focus()

    def leave_open(self) -> bool:
        """Leave the words' line, else take the words away, else show all again; False where nothing was open."""
        field = self.query_one("#words", Input)
        if field.has_focus:
            self._close_search()
        elif self._words:
            field.value = ""
            field.add_class("hidden")
        elif self._kind != "all":
            self._kind = "all"
            self._list()
        else:
            return False
        return True
