"""Examples in a table, the one at the cursor in full below it: what confusion, similarity and examples share."""

from collections.abc import Callable, Sequence

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, line
from bertmt.services.analysis.examples import ExampleTable
from bertmt.tasks.task import Task
from tui.plain.words import in_words
from tui.screens.run.widgets.example_lines import class_name, format_example, task_in
from tui.widgets.examples.rows import ExampleRows, Indices
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

WIDE = 104  # cells from which on names of classes and ids have room
LEAST_HEIGHT = 13  # lines from which on the example is shown in full below the table
LONG_NAME, SHORT_NAME = 19, 12


class ExampleList(Vertical):
    """Some examples of one task, in an order that others decide."""

    DEFAULT_CSS = """
    ExampleList { height: 1fr; }
    ExampleList .detail { height: auto; max-height: 60%; padding: 0 1; border-top: solid $border-blurred; }
    ExampleList #nothing { padding: 0 2; }
    """

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._examples: ExampleTable | None = None
        self._baseline: ExampleTable | None = None
        self._with_classes = True

    def compose(self) -> ComposeResult:
        yield ExampleRows((), self._cell, lambda index: index)
        yield TextLines(classes="detail")
        yield TextLines(id="nothing", classes="hidden")

    @property
    def rows(self) -> ExampleRows:
        """The table; its rows are indices."""
        return self.query_one(ExampleRows)

    def show(
        self,
        examples: ExampleTable,
        indices: np.ndarray,
        baseline: ExampleTable | None = None,
        empty: Sequence[Line] = (),
        sorted_by: str = "",
        with_classes: bool = True,
        restart: bool = False,
    ) -> None:
        """Replace the list; the cursor stays on its example where that is still in it.

        Args:
            empty: what is said where there are none.
            sorted_by: the column with the arrow, "-" before it downwards.
            with_classes: whether true and predicted class are columns; needless where they are equal in all rows.
            restart: begin at the top.
        """
        is_other = self._examples is None or self._examples.fingerprint != examples.fingerprint
        self._examples, self._baseline, self._with_classes = examples, baseline, with_classes
        if is_other or restart:
            self.rows.show(())
        self.rows.sorted_by = sorted_by
        self._arrange()
        self.rows.show(Indices(indices))
        self.rows.set_class(not len(indices), "empty")  # its titles stay, and the focus with them
        said = self.query_one("#nothing", TextLines)
        said.set_class(bool(len(indices)), "hidden")
        said.show(empty)

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Columns for the width, and the example in full where there is room for it."""
        if self._examples is not None:
            self.rows.show_columns(
                columns_of(task_in(self._examples), self.size.width, self._with_classes, self._baseline is not None)
            )
        has_room = self.size.height >= LEAST_HEIGHT and self.rows.current is not None
        self.query_one(".detail").set_class(not has_room, "hidden")

    @on(Table.Moved)
    def _moved(self) -> None:
        self._arrange()
        self.query_one(".detail", TextLines).show(self._detail)

    def _detail(self, width: int) -> Sequence[Line]:
        index = self.rows.current
        if index is None or self._examples is None or index >= len(self._examples.examples):
            return ()
        return format_example(self._examples, index, self._baseline, width)

    def _cell(self, index: int, column: Column) -> Span:
        assert self._examples is not None  # there are no rows before
        return CELLS[column.key](self._examples, self._baseline, index)


def columns_of(task: Task, width: int, with_classes: bool, with_baseline: bool) -> list[Column]:
    """The columns for a task in a width."""
    pair = task.pair
    text = [Column(key="first", title="first sentence" if pair else "sentence", width=16, rank=1, elastic=True)]
    text += [Column(key="second", title="second sentence", width=16, rank=5, elastic=True)] if pair else []
    name = Column(key="id", title="id", width=8, rank=9, from_width=WIDE)
    if not task.classes:
        room = max(cells(numbers.score(end, 2)) for end in (0, task.minimum, task.maximum)) + 1
        figures = [
            Column(key="label", title="label", width=room, rank=2, right=True),
            Column(key="similarity", title="pred.", width=room, rank=3, right=True),
            Column(key="error", title="error", width=room + 1, rank=4, right=True, field="error"),
        ]
        return [name, *figures, *text]
    confidence = Column(key="confidence", title="confidence", width=11, rank=4, right=True, field="confidence")
    if not with_classes:
        return [name, *text, confidence]
    longest = max(cells(class_name(task, label)) for label in range(len(task.classes)))
    room = min(longest, LONG_NAME if width >= WIDE else SHORT_NAME)
    classes = [
        Column(key="true", title="true", width=room, rank=2),
        Column(key="predicted", title="predicted", width=room, rank=3),
    ]
    if with_baseline:
        classes.append(Column(key="baseline", title="baseline", width=room, rank=8, from_width=WIDE))
    return [Column(key="right", title="", width=1, rank=6, words=5), name, *text, *classes, confidence]


Cell = Callable[[ExampleTable, ExampleTable | None, int], Span]


def _right(table: ExampleTable, baseline: ExampleTable | None, index: int) -> Span:
    if in_words():
        return Span("right" if table.predicted[index] == table.labels[index] else "wrong")
    return Span("✓", "good") if table.predicted[index] == table.labels[index] else Span("✗", "bad")


def _predicted(table: ExampleTable, baseline: ExampleTable | None, index: int) -> Span:
    is_right = table.predicted[index] == table.labels[index]
    return Span(class_name(task_in(table), int(table.predicted[index])), "" if is_right else "bad")


def _baseline(table: ExampleTable, baseline: ExampleTable | None, index: int) -> Span:
    if baseline is None:
        return Span(numbers.MISSING, "dim")
    return Span(class_name(task_in(table), int(baseline.predicted[index])), "dim")


def _confidence(table: ExampleTable, baseline: ExampleTable | None, index: int) -> Span:
    return Span(numbers.score(None if table.confidence is None else float(table.confidence[index])))


CELLS: dict[str, Cell] = {
    "id": lambda table, _, index: Span(safe_text(table.examples[index].id), "dim"),
    "first": lambda table, _, index: Span(safe_text(table.examples[index].first.strip())),
    "second": lambda table, _, index: Span(safe_text((table.examples[index].second or "").strip())),
    "true": lambda table, _, index: Span(class_name(task_in(table), int(table.labels[index]))),
    "label": lambda table, _, index: Span(numbers.score(float(table.labels[index]), 2)),
    "similarity": lambda table, _, index: Span(numbers.score(float(table.predicted[index]), 2)),
    "error": lambda table, _, index: Span(numbers.difference(float(table.errors[index]), 2)),
    "right": _right,
    "predicted": _predicted,
    "baseline": _baseline,
    "confidence": _confidence,
}


def nothing_here(*sentences: str) -> list[Line]:
    """What a list says that has no rows."""
    return [line(Span(each, "dim")) for each in sentences]
