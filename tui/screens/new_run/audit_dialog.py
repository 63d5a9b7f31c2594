"""What a task's data are like, read while a person waits, as `bertmt task audit` says it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.widget import Widget

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.errors import BertmtError
from bertmt.services.tasks.audit import TaskAudit
from bertmt.services.tasks.formatting import audit_lines
from bertmt.tasks.task import Task
from tui.bindings import key
from tui.dialogs.dialog import Dialog
from tui.widgets.page import Page


class TaskAuditDialog(Dialog[None]):
    """Lines to scroll through; a dialog that is left while data are read forgets them.

    Args:
        look: reads and looks, on a thread of its own; raises a BertmtError where the data cannot be used.
    """

    DEFAULT_CSS = """
    TaskAuditDialog > Vertical { width: 96; }
    TaskAuditDialog #audit { height: auto; max-height: 65vh; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("q,enter", "leave", "close", "Close the audit.", "audit.close"),
    ]

    def __init__(self, task: Task, look: Callable[[], TaskAudit]):
        super().__init__()
        self._about = task
        self._look = look
        self._said = f"Reading the data of {safe_text(task.title)}…"
        self._found: TaskAudit | None = None

    def heading(self) -> str:
        return f"The data of {safe_text(self._about.title)}"

    def parts(self) -> Sequence[Widget]:
        return [Page(self._lines, id="audit")]

    def answers(self) -> list[tuple[str, str]]:
        return [("j k", "scroll"), ("Esc", "close")]

    def on_mount(self) -> None:
        self.query_one(Page).focus()
        self._read()

    @work(group="audit")
    async def _read(self) -> None:
        try:
            self._found = await asyncio.to_thread(self._look)
        except BertmtError as problem:
            self._said = safe_text("\n".join(problem.problems))
        self.query_one(Page).show(self._lines)

    def _lines(self, width: int) -> list[Line]:
        if self._found is None:
            return [line(part) for part in wrapped(self._said, width)]
        remarks = [line(Span(part, "bad")) for each in self._found.remarks for part in wrapped(safe_text(each), width)]
        return [*remarks, *audit_lines(self._found, width)]
