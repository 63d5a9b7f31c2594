"""Which screens there are, and how each is made. No other module imports a screen; screens ask their `Host` for one.

Each is imported when it is made: together they take 0.4 s, which the first picture need not wait for.
"""

import importlib
from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

from textual.binding import Binding
from textual.keys import format_key
from textual.screen import Screen

from bertmt.recipe.recipe import Recipe
from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found
from bertmt.tasks.task import Task
from tui.styles.theming import Themed

# All but those of comparisons, flips and effects: they bring scipy, 0.15 s and 30 MiB, which few need.
SCREENS = (
    "tui.screens.runs.screen",
    "tui.screens.runs.predictions",
    "tui.screens.run.screen",
    "tui.screens.queue.screen",
    "tui.screens.new_run.screen",
    "tui.screens.paper.screen",
    "tui.screens.devices.screen",
    "tui.screens.data.screen",
    "tui.screens.data.task_screen",
    "tui.screens.find.screen",
    "tui.screens.run.split",
    "tui.screens.searching.screen",
    "tui.screens.trying.screen",
    "tui.screens.worker_log",
)


OF_QUEUE = ("queue.", "workers.")  # what the ids of its own keys begin with


def import_screens() -> None:
    """Import what is not imported yet: no key waits for it then, and the code is of one version.

    Whoever updates bertmt while a dashboard is open would otherwise get new screens among old ones.
    """
    for name in SCREENS:
        importlib.import_module(name)


def _runs_screen() -> Screen[None]:
    from tui.screens.runs.screen import RunsScreen

    return RunsScreen()


def _queue_screen() -> Screen[None]:
    from tui.screens.queue.screen import QueueScreen

    return QueueScreen()


def _paper_screen() -> Screen[None]:
    from tui.screens.paper.screen import PaperScreen

    return PaperScreen()


def _devices_screen() -> Screen[None]:
    from tui.screens.devices.screen import DevicesScreen

    return DevicesScreen()


def _data_screen() -> Screen[None]:
    from tui.screens.data.screen import DataScreen

    return DataScreen()


class Navigation(Themed):
    """The part of the app that makes screens."""

    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "runs": _runs_screen,
        "queue": _queue_screen,
        "paper": _paper_screen,
        "devices": _devices_screen,
        "data": _data_screen,
    }
    DEFAULT_MODE = "runs"

    def __init__(self) -> None:
        super().__init__()
        self._told_keys: set[str] = set()

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Of a key that is dead on the list of runs say where it is not, once. Textual has no public place for this."""
        is_found = await super()._check_bindings(key, priority)
        if not (is_found or priority or key in self._told_keys) and self._shows_runs():
            sentence = self._sentence_of_queue(key)
            if sentence and key not in self.screen._bindings.key_to_bindings:
                self._told_keys.add(key)
                self.notify(f"{format_key(key)} is a key of the queue (2): {sentence}")
        return is_found

    def _shows_runs(self) -> bool:
        return self.current_mode == self.DEFAULT_MODE and len(self.screen_stack) == 1

    def _sentence_of_queue(self, key: str) -> str:
        """What a key does on the screen of the queue alone."""
        from tui.screens.queue.screen import QueueScreen

        own = [each for kind in QueueScreen.__mro__ for each in kind.__dict__.get("BINDINGS", ())]
        of_queue = [each for each in own if isinstance(each, Binding) and (each.id or "").startswith(OF_QUEUE)]
        found = (each for each in of_queue if key in self._keymap.get(each.id or "", each.key).split(","))
        return next((each.tooltip for each in found), "")

    def run_screen(self, run: Run, found: Found | None = None) -> Screen[None]:
        """Everything about a run, begun at the place where something was found."""
        from tui.screens.run.screen import RunScreen

        return RunScreen(run, found=found)

    def find_screen(self, first: Collection[str]) -> Screen[None]:
        """Finding a text in all runs, in those with these ids first."""
        from tui.screens.find.screen import FindScreen

        return FindScreen(first)

    def split_screen(self, runs: Sequence[Run]) -> Screen[None]:
        """Two runs, the same tab of both."""
        from tui.screens.run.split import SplitScreen

        return SplitScreen(runs)

    def comparison_screen(self, runs: Sequence[Run]) -> Screen[None]:
        """Two or more runs side by side."""
        from tui.screens.compare.screen import CompareScreen

        return CompareScreen(runs)

    def flips_screen(self, first: Run, second: Run, seeds: tuple[int, int]) -> Screen[None]:
        """What the second run fixed and broke since the first, each of an arm of so many seeds."""
        from tui.screens.flips.screen import FlipsScreen

        return FlipsScreen(first, second, seeds)

    def effects_screen(self) -> Screen[None]:
        """Which toggle helps, over matched pairs of runs."""
        from tui.screens.effects import EffectsScreen

        return EffectsScreen()

    def new_run_screen(
        self, run: Run | None = None, preset_name: str | None = None, edits: bool = False
    ) -> Screen[None]:
        """The form for new runs: from a copy of a run, from a preset, or to change a run that waits."""
        from tui.screens.new_run.screen import NewRunScreen

        return NewRunScreen(run, preset_name, edits)

    def task_data_screen(self, task: Task, recipe: Recipe, chose_encoder: bool) -> Screen[None]:
        """The data of a task: an audit, and every example."""
        from tui.screens.data.task_screen import TaskDataScreen

        return TaskDataScreen(task, recipe, chose_encoder)

    def try_screen(self, runs: Sequence[Run], first: str = "", second: str = "") -> Screen[None]:
        """What runs say of a text; one alone is tried beside the marked ones, or else beside its baseline."""
        from tui.screens.trying.screen import TryScreen

        return TryScreen(runs, first, second)

    def search_screen(self, name: str) -> Screen[None]:
        """A search: its recipes, their settings against scores, and its winner."""
        from tui.screens.searching.screen import SearchScreen

        return SearchScreen(name)

    def worker_log_screen(self) -> Screen[None]:
        """What workers in the background write."""
        from tui.screens.worker_log import WorkerLogScreen

        return WorkerLogScreen()
