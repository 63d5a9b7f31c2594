"""Which screens there are, and how each is made. No other module imports a screen; screens ask their `Host` for one."""

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

from textual.screen import Screen

from bertmt.recipe.recipe import Recipe
from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found
from bertmt.tasks.task import Task
from tui.screens.data.screen import DataScreen
from tui.screens.data.task_screen import TaskDataScreen
from tui.screens.devices.screen import DevicesScreen
from tui.screens.find.screen import FindScreen
from tui.screens.new_run.screen import NewRunScreen
from tui.screens.paper.screen import PaperScreen
from tui.screens.queue.screen import QueueScreen
from tui.screens.run.screen import RunScreen
from tui.screens.run.split import SplitScreen
from tui.screens.runs.screen import RunsScreen
from tui.screens.searching.screen import SearchScreen
from tui.screens.trying.screen import TryScreen
from tui.screens.worker_log import WorkerLogScreen
from tui.typed_ahead import TypedAhead


class Navigation(TypedAhead):
    """The part of the app that makes screens."""

    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "runs": RunsScreen,
        "queue": QueueScreen,
        "paper": PaperScreen,
        "devices": DevicesScreen,
        "data": DataScreen,
    }
    DEFAULT_MODE = "runs"

    def run_screen(self, run: Run, found: Found | None = None) -> Screen[None]:
        """Everything about a run, begun at the place where something was found."""
        return RunScreen(run, found=found)

    def find_screen(self, first: Collection[str]) -> Screen[None]:
        """Finding a text in all runs, in those with these ids first."""
        return FindScreen(first)

    def split_screen(self, runs: Sequence[Run]) -> Screen[None]:
        """Two runs, the same tab of both."""
        return SplitScreen(runs)

    def comparison_screen(self, runs: Sequence[Run]) -> Screen[None]:
        """Two or more runs side by side."""
        from tui.screens.compare.screen import CompareScreen  # noqa: PLC0415 - scipy: 0.15 s of every start

        return CompareScreen(runs)

    def flips_screen(self, first: Run, second: Run) -> Screen[None]:
        """What the second run fixed and broke since the first."""
        from tui.screens.flips.screen import FlipsScreen  # noqa: PLC0415 - scipy, as above

        return FlipsScreen(first, second)

    def effects_screen(self) -> Screen[None]:
        """Which toggle helps, over matched pairs of runs."""
        from tui.screens.effects import EffectsScreen  # noqa: PLC0415 - scipy, as above

        return EffectsScreen()

    def new_run_screen(
        self, run: Run | None = None, preset_name: str | None = None, edits: bool = False
    ) -> Screen[None]:
        """The form for new runs: from a copy of a run, from a preset, or to change a run that waits."""
        return NewRunScreen(run, preset_name, edits)

    def task_data_screen(self, task: Task, recipe: Recipe, chose_encoder: bool) -> Screen[None]:
        """The data of a task: an audit, and every example."""
        return TaskDataScreen(task, recipe, chose_encoder)

    def try_screen(self, runs: Sequence[Run], first: str = "", second: str = "") -> Screen[None]:
        """What runs say of a text; one alone is tried beside the marked ones, or else beside its baseline."""
        return TryScreen(runs, first, second)

    def search_screen(self, name: str) -> Screen[None]:
        """A search: its recipes, their settings against scores, and its winner."""
        return SearchScreen(name)

    def worker_log_screen(self) -> Screen[None]:
        """What workers in the background write."""
        return WorkerLogScreen()
