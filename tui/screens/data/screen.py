"""Every task that recipes may name, and what it is; Enter looks at its data."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from bertmt.drawing.facts import facts, wrapped
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.errors import NotFoundError
from bertmt.registry.states import State
from bertmt.services.plan.known_tasks import known_tasks
from bertmt.services.tasks.browsing import Looked, looked
from bertmt.services.tasks.formatting import task_lines
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task
from tui.registry_lane import Session
from tui.screens.home_screen import HomeScreen
from tui.widgets.frame import framed
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table

COLUMNS = (
    Column(key="name", title="task", width=14, rank=1),
    Column(key="title", title="title", width=10, rank=4),
    Column(key="inputs", title="inputs", width=7, rank=3),
    Column(key="labels", title="labels", width=11, rank=2),
    Column(key="judged", title="judged by", width=12, rank=5),
    Column(key="data", title="data set", width=10, rank=6, elastic=True),
)


@dataclass(frozen=True)
class TaskRow:
    """A task, or why its definition cannot be read."""

    name: str
    task: Task | None
    problem: str = ""


class DataScreen(HomeScreen):
    """The tasks and, below, what the one at the cursor is."""

    SUBJECT = "tasks and their data"
    MODE = "data"
    MAKES_REGISTRY = True
    GUIDE: ClassVar[tuple[str, ...]] = (
        "The built-in tasks and those of your own (`bertmt task add`). Enter reads the data of one: sizes, balance, "
        "lengths, what is repeated, leaked or contradicts itself, and every example, to be searched.",
        "The built-in tasks are looked at in the data that bertmt.toml names, else in those of the newest run, else in "
        "the embedded ones.",
    )
    DEFAULT_CSS = "DataScreen Table { height: 1fr; } DataScreen #task { height: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._looked: Looked | None = None

    def compose(self) -> ComposeResult:
        yield HomeLine(self.MODE)
        tasks: Table[TaskRow] = Table(COLUMNS, task_cell, lambda row: row.name, id="tasks")
        yield framed(tasks, "Tasks", first=True)
        yield framed(Page(self._page, id="task"), "Task")
        yield KeyLine()

    def on_mount(self) -> None:
        self.table.focus()

    @property
    def table(self) -> "Table[TaskRow]":
        """The tasks."""
        return self.query_one("#tasks", Table)

    async def load(self) -> None:
        folder = self.dashboard.registry.parent
        try:
            newest, counts = await self.dashboard.ask(_read)
        except NotFoundError:  # a folder without a registry has data, too
            newest, counts = "", {}
        known = await asyncio.to_thread(known_tasks, folder)
        self._looked = await asyncio.to_thread(looked, folder, newest)
        self.query_one(HomeLine).show_counts(counts)
        rows = [TaskRow(name, task) for name, task in known.items()]
        self.table.show([*rows, *(TaskRow(name, None, problem) for name, problem in known.broken.items())])
        self._moved()

    @on(Table.Moved, "#tasks")
    def _moved(self) -> None:
        self.query_one("#task", Page).show(self._page)

    def _page(self, width: int) -> list[Line]:
        row = self.table.current
        if row is None:
            return []
        if row.task is None:
            return [line(Span(part, "bad")) for part in wrapped(safe_text(row.problem), width)]
        lines = task_lines(row.task, None, width)
        if row.name in BUILTIN and self._looked is not None:
            lines += facts({"looked at in": f"{self._looked.recipe.data}: {self._looked.reason}"}, width)
        return lines

    @on(Table.Chosen, "#tasks")
    def _chosen(self) -> None:
        row, how = self.table.current, self._looked
        if row is None or how is None:
            return
        if row.task is None:
            self.dashboard.notify(row.problem, severity="warning")
        else:
            self.open_screen(self.dashboard.task_data_screen(row.task, how.recipe, how.chose_encoder))


def task_cell(row: TaskRow, column: Column) -> Span:
    """The cell of a column for a task."""
    task = row.task
    if task is None:
        return Span({"name": safe_text(row.name), "data": "cannot be read"}.get(column.key, ""), "bad")
    labels = counted(len(task.classes), "class", "classes") if task.classes else f"{task.minimum:g}–{task.maximum:g}"
    found = {
        "name": task.name, "title": task.title, "inputs": task.inputs, "labels": labels, "judged": task.metric.title,
        "data": task.data_set or (task.source.hub or task.source.train if task.source else ""),
    }  # fmt: skip
    return Span(safe_text(found[column.key]), "title" if column.key == "name" else "")


def _read(session: Session) -> tuple[str, Mapping[State, int]]:
    """On the registry's thread: the data of the newest run, and how many runs are in which state."""
    session.runs.refresh()
    newest = session.runs.rows(limit=1)
    return newest[0].run.submission.data if newest else "", session.runs.counts()
