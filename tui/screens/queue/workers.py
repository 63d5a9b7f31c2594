"""The workers on the queue's screen: the keys of their table, and what can be done to the one at hand."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import work
from textual.binding import BindingType

from bertmt.registry.records import Worker
from bertmt.services.lifecycle.worker_control import drain_worker, let_go_on, stop_worker
from bertmt.services.opening import Registry
from tui.actions.runs import RunActions
from tui.actions.workers import start_worker
from tui.bindings import bound, key
from tui.dialogs.question import Question
from tui.dialogs.start_worker import StartWorker
from tui.screens.queue.columns import WorkerLine
from tui.widgets.tables.table import Table

T = TypeVar("T")


class WorkerTable(Table[WorkerLine]):
    """The workers; while it has the focus, the footer names what can be done to one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("S", "screen.stop_worker", "stop", "Stop this worker; its runs go back to the queue.", "worker.stop", True),
        key("Q", "screen.drain_worker", "drain", "Stop this worker once the queue is empty.", "worker.drain", True),
        key("W", "screen.go_on", "reset", "Reset this halted worker.", "worker.go_on", True),
        key("L", "screen.worker_log", "log", "Show the log of background workers.", "worker.log", True),
        key("tab,shift+tab", "screen.other_table", "runs", "Go back to the runs.", "worker.tab", True),
    ]


class WorkerActions(RunActions):
    """A screen with workers to act on, besides runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("w", "start_worker", "worker", "Start a worker; it outlives the dashboard.", "workers.start", shown=True),
        key("S", "stop_worker", "stop", "Stop the worker; its runs go back to the queue.", "workers.stop"),
        key("Q", "drain_worker", "drain", "Stop the worker once the queue is empty.", "workers.drain"),
        key("W", "go_on", "reset", "Reset a worker halted by three consecutive crashes.", "workers.go_on"),
        key("L", "worker_log", "log", "Show the log of background workers.", "workers.log"),
    ]

    def worker_at_hand(self) -> Worker | None:
        """The worker under the cursor."""
        return None

    def _worker(self) -> Worker | None:
        """The worker at hand; says so where there is none."""
        worker = self.worker_at_hand()
        if worker is None:
            self.dashboard.notify(f"No worker is running; {bound('workers.start')} starts one.", severity="warning")
        return worker

    async def change(self, act: Callable[[Registry], T]) -> T | None:
        """What a change of the registry returns, which is not None; None where it is refused, which is said."""
        found = await self.dashboard.insist(lambda session: act(session.database))
        if found is not None:
            self.reload()
        return found

    @work(group="act")
    async def action_start_worker(self) -> None:
        if self.dashboard.may_write():
            order = await self.dashboard.ask_person(StartWorker())
            if order is not None:
                self.app.run_worker(start_worker(self.dashboard, order), group="act")

    @work(group="act")
    async def action_stop_worker(self) -> None:
        worker = self._worker()
        if worker is None or not self.dashboard.may_write():
            return
        sentence = "Its runs write a checkpoint, go back to the queue, and resume from there."
        if not await self.dashboard.ask_person(Question(f"Stop worker {worker.key}?", [sentence], "stop")):
            return
        if await self.change(lambda database: stop_worker(database, worker)):
            self.dashboard.notify(f"Worker {worker.key} stops.")

    @work(group="act")
    async def action_drain_worker(self) -> None:
        worker = self._worker()
        if worker is None or not self.dashboard.may_write():
            return
        if await self.change(lambda database: drain_worker(database, worker)):
            self.dashboard.notify(f"Worker {worker.key} stops once the queue is empty and nothing runs there.")

    @work(group="act")
    async def action_go_on(self) -> None:
        worker = self._worker()
        if worker is None or not self.dashboard.may_write():
            return
        if await self.change(lambda database: let_go_on(database, worker)):
            self.dashboard.notify(f"Worker {worker.key} starts runs again.")

    def action_worker_log(self) -> None:
        self.open_screen(self.dashboard.worker_log_screen())
