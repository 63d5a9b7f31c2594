"""What screens, panes, actions, widgets and dialogs may ask of the app that shows them, and what it tells them.

They know the app as a `Host` alone: it imports them, so none of them may import it, nor each other's screens.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol, TypeVar, cast

from textual.dom import DOMNode
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from bertmt.errors import BertmtError
from bertmt.recipe.recipe import Recipe
from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found
from bertmt.tasks.task import Task
from tui.dialogs.dialog import Dialog
from tui.registry_lane import Session
from tui.settings import Settings
from tui.undoing import Done

T = TypeVar("T")
A = TypeVar("A")


class RegistryChanged(Message):
    """Something in the registry is not as it was when the screen read it."""


class Host(Protocol):
    """The app; `tui.app.Dashboard` is one, which mypy checks where that hands itself on.

    Attributes:
        registry: its file.
        ascii_only: what is drawn has to do with ASCII.
        is_read_only: nothing can be changed.
        poll_seconds: between two looks at the registry; 0 looks only when asked.
        settings: what the user chose; `change` changes it.
        x_axis: what curves are drawn over, one of `times.axis_names.AXES`: one choice for every screen, until the end.
        marked: ids of the runs that are marked, one set for every screen.
        removed_last: the runs that one key removed, for the key that brings them back.
        done: what was done to the registry here, the last at the end.
    """

    registry: Path
    ascii_only: bool
    is_read_only: bool
    poll_seconds: float
    settings: Settings
    x_axis: str
    marked: set[str]
    removed_last: list[Run]
    done: list[Done]

    # The registry and the person.

    async def ask(self, act: Callable[[Session], T], slow: bool = False, create: bool = False) -> T:
        """What `act` returns, called with a session of the registry on another thread; see `RegistryLane.ask`.

        Args:
            slow: it takes longer than a blink.
        """
        ...

    async def ask_person(self, dialog: Dialog[A]) -> A | None:
        """What a dialog is answered with; None where it is left. Only from a worker."""
        ...

    async def attempt(self, doing: Awaitable[T]) -> T | None:
        """What it comes to; None where it is refused, and then a person is told why."""
        ...

    async def insist(
        self, act: Callable[[Session], T], typed: str = "", slow: bool = False, create: bool = False
    ) -> T | None:
        """What `act` changes; where the registry refuses, a person is told and may try again, until then it is None.
        Only from a worker.

        Args:
            typed: a text that would be lost.
            slow, create: as in `ask`.
        """
        ...

    def show_error(self, problem: BertmtError) -> None:
        """Say why something could not be done; a registry that cannot be used has its own dialog."""

    def notify(self, message: str, *, severity: SeverityLevel = "information") -> None:
        """One sentence in a corner for a while."""

    def may_write(self) -> bool:
        """Whether the registry may be changed; says so where not."""
        ...

    def look_again(self) -> None:
        """Look at the registry now."""

    def change(self, **choices: object) -> None:
        """Keep a choice of the user's."""

    # The terminal.

    @property
    def current_theme(self) -> Theme:
        """What everything is drawn in."""
        ...

    def copy(self, text: str) -> None:
        """Put a text on the clipboard of the terminal, and show it."""

    def bell(self) -> None:
        """Ring."""

    # Screens; `DashboardScreen.open_screen` shows them.

    @property
    def screen(self) -> Screen[object]:
        """The one on top."""
        ...

    def run_screen(self, run: Run, found: Found | None = None) -> Screen[None]:
        """Everything about a run, begun at the place where something was found."""
        ...

    def find_screen(self, first: Collection[str]) -> Screen[None]:
        """Finding a text in all runs, in those with these ids first."""
        ...

    def split_screen(self, runs: Sequence[Run]) -> Screen[None]:
        """Two runs, the same tab of both."""
        ...

    def comparison_screen(self, runs: Sequence[Run]) -> Screen[None]:
        """Two or more runs side by side."""
        ...

    def flips_screen(self, first: Run, second: Run, seeds: tuple[int, int]) -> Screen[None]:
        """What the second run fixed and broke since the first, each of an arm of so many seeds."""
        ...

    def effects_screen(self) -> Screen[None]:
        """Which toggle helps, over matched pairs of runs."""
        ...

    def new_run_screen(
        self, run: Run | None = None, preset_name: str | None = None, edits: bool = False
    ) -> Screen[None]:
        """The form for new runs: from a copy of a run, from a preset, or to change a run that waits."""
        ...

    def task_data_screen(self, task: Task, recipe: Recipe, chose_encoder: bool) -> Screen[None]:
        """The data of a task: an audit, and every example."""
        ...

    def try_screen(self, runs: Sequence[Run], first: str = "", second: str = "") -> Screen[None]:
        """What runs say of a text; one alone is tried beside the marked ones, or else beside its baseline."""
        ...

    def search_screen(self, name: str) -> Screen[None]:
        """A search: its recipes, their settings against scores, and its winner."""
        ...

    def worker_log_screen(self) -> Screen[None]:
        """What workers in the background write."""
        ...


def host_of(node: DOMNode) -> Host:
    """The app that shows a screen or a widget."""
    return cast(Host, node.app)
