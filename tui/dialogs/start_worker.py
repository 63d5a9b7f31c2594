"""How a worker is started: on which devices, with how many runs at a time, and when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from bertmt.recipe.rules import parse_value
from bertmt.recipe.settings import Role, Setting
from tui.bindings import key
from tui.dialogs.dialog import Dialog
from tui.widgets.fields import Field, FieldKind, field_of, next_choice
from tui.widgets.form import HELP_LINES, Form


@dataclass(frozen=True)
class WorkerOrder:
    """How a worker is started.

    Attributes:
        device: auto, cpu, all, or numbers of GPUs.
        slots: runs at a time on each device.
        drain: it stops once the queue is empty and nothing runs there.
    """

    device: str = "auto"
    slots: int = 1
    drain: bool = False


START = Field(key="start", name="▸ Start a worker", kind=FieldKind.DONE, meaning="Enter starts it")


def _asked(name: str, kind: Any, meaning: str, minimum: int | None = None) -> Setting:
    default = getattr(WorkerOrder(), name)
    return Setting(name=name, kind=kind, role=Role.RUNTIME, help=meaning, default=default, minimum=minimum)


ASKED = {
    each.name: each
    for each in (
        _asked("device", "str", "auto (the GPUs, else the CPU), cpu, all, or GPUs such as 0,1"),
        _asked("slots", "int", "runs at a time on each device", minimum=1),
        _asked("drain", "bool", "stops once the queue is empty; else it waits for more"),
    )
}


class StartWorker(Dialog[WorkerOrder]):
    """Dismissed with how to start it; Enter alone accepts the defaults."""

    DEFAULT_CSS = f"StartWorker Form {{ height: {len(ASKED) + 2 + HELP_LINES}; }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "start", "start", "Start the worker.", "start_worker.start"),
    ]
    TITLE_TEXT = "Start a worker"

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, Any] = {name: setting.default for name, setting in ASKED.items()}

    def parts(self) -> Sequence[Widget]:
        return [Form(self._check, id="form")]

    def answers(self) -> list[tuple[str, str]]:
        return [("⏎", "start, or change the line"), ("Esc", "cancel")]

    def on_mount(self) -> None:
        form = self.query_one(Form)
        self._show()
        form.table.go_to(START.key)
        form.table.focus()

    def _show(self) -> None:
        lines = [field_of(each, self._values[name], self._values[name] != each.default) for name, each in ASKED.items()]
        self.query_one(Form).show([*lines, START])

    def _check(self, name: str, text: str) -> str | None:
        try:
            parse_value(ASKED[name], text)
        except ValueError as problem:
            return str(problem)
        return None

    @on(Form.Entered)
    def _entered(self, event: Form.Entered) -> None:
        self._values[event.field] = parse_value(ASKED[event.field], event.text)
        self._show()

    @on(Form.Turned)
    def _turned(self, event: Form.Turned) -> None:
        setting = ASKED[event.field]
        self._values[event.field] = parse_value(setting, next_choice(setting, self._values[event.field]))
        self._show()

    @on(Form.Undone)
    def _undone(self, event: Form.Undone) -> None:
        if event.field in ASKED:
            self._values[event.field] = ASKED[event.field].default
            self._show()

    @on(Form.Opened)
    def action_start(self) -> None:
        if self.query_one(Form).finish():
            self.dismiss(WorkerOrder(**self._values))
