"""The screens to begin with, numbered: runs, queue, paper, devices, data."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from tui.bindings import key
from tui.screens.dashboard_screen import DashboardScreen
from tui.widgets.home_line import HomeLine
from tui.widgets.tables.table import Table


class HomeScreen(DashboardScreen):
    """One of them.

    Attributes:
        MODE: its name among `HomeLine.MODES`.
    """

    MODE: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        key("1", "home('runs')", "runs", "Go to the list of runs.", "home.runs"),
        key("2", "home('queue')", "queue", "Go to the queue.", "home.queue"),
        key("3", "home('paper')", "paper", "Go to the paper's figures.", "home.paper"),
        key("4", "home('devices')", "devices", "Go to the devices of this machine.", "home.devices"),
        key("5", "home('data')", "data", "Go to the tasks and their data.", "home.data"),
        key("ctrl+g", "effects", "effects", "Which toggle helps, over matched pairs of runs.", "home.effects"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where a person is already is no place to go to."""
        return parameters != (self.MODE,) if action == "home" else True

    def action_home(self, mode: str) -> None:
        self.app.switch_mode(mode)

    def action_effects(self) -> None:
        self.open_screen(self.dashboard.effects_screen())

    @on(Table.Marked)
    def _marks_changed(self) -> None:
        self.query_one(HomeLine).count_marks()

    @on(HomeLine.Selected)
    def _home_chosen(self, event: HomeLine.Selected) -> None:
        self.app.switch_mode(HomeLine.MODES[event.index])
