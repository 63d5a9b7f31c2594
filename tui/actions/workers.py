"""Workers as the dashboard starts and ends them; those that it starts outlive it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import work
from textual.binding import BindingType

from bertmt.errors import BertmtError
from bertmt.registry.records import Worker
from bertmt.services.browse.workload import workload
from bertmt.services.lifecycle.worker_control import drain_worker, let_go_on, stop_worker
from bertmt.services.lifecycle.worker_start import await_worker
from bertmt.services.lifecycle.workers import start_detached_worker
from bertmt.services.opening import Registry
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.dialogs.question import Question
from tui.dialogs.start_worker import StartWorker, WorkerOrder
from tui.registry_lane import Session
from tui.screens.worker_log import WorkerLogScreen

if TYPE_CHECKING:
    from tui.app import Dashboard

T = TypeVar("T")


async def start_worker(dashboard: "Dashboard", order: WorkerOrder) -> None:
    """Start a worker, and say when it is there or why it is not."""

    def start(session: Session) -> int:
        pid = start_detached_worker(session.database.path, order.drain, order.slots, order.device)
        await_worker(session.database, pid)
        return pid

    dashboard.say("A worker is being started …")
    pid = await dashboard.told(dashboard.ask(start, slow=True))
    if pid is not None:
        dashboard.say(f"Worker started, process {pid}. It goes on without the dashboard.")
        dashboard.look_again()


async def offer_worker(dashboard: "Dashboard") -> None:
    """Where runs wait and nobody works them, say why, or ask whether to start a worker."""
    found = await dashboard.ask(lambda session: workload(session.database))
    if found.held:
        dashboard.say("The queue is held: nothing is started before H on the queue's screen releases it.", "warning")
    elif found.queued and not found.workers:
        sentences = ["It takes the queued runs one after another, here, and goes on when the dashboard is left."]
        if await dashboard.ask_person(Question("No worker is alive. Start one?", sentences, "start")):
            await start_worker(dashboard, WorkerOrder())


class WorkerActions(RunActions):
    """A screen with workers to act on, besides runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("w", "start_worker", "worker", "Start a worker; it outlives the dashboard.", "workers.start", shown=True),
        key("S", "stop_worker", "stop worker", "Stop the worker; its runs go back to the queue.", "workers.stop"),
        key("d", "drain_worker", "drain worker", "Let the worker end once nothing waits.", "workers.drain"),
        key("c", "go_on", "let go on", "Let a worker start runs again that saw three die.", "workers.go_on"),
        key("l", "worker_log", "workers' log", "Show what workers in the background write.", "workers.log"),
    ]

    def worker_at_hand(self) -> Worker | None:
        """The worker under the cursor."""
        return None

    def _worker(self) -> Worker | None:
        """The worker at hand; says so where there is none."""
        worker = self.worker_at_hand()
        if worker is None:
            self.dashboard.say("No worker is alive; w starts one.", "warning")
        return worker

    async def change(self, act: Callable[[Registry], T]) -> T | None:
        """What a change of the registry returns; None where it is refused, which is said."""
        try:
            found = await self.dashboard.ask(lambda session: act(session.database))
        except BertmtError as problem:
            self.dashboard.tell(problem)
            return None
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
        sentence = "Its running runs write a checkpoint, go back to the queue, and go on from there."
        if not await self.dashboard.ask_person(Question(f"Stop worker {worker.key}?", [sentence], "stop")):
            return
        if await self.change(lambda database: stop_worker(database, worker)):
            self.dashboard.say(f"Worker {worker.key} stops.")

    @work(group="act")
    async def action_drain_worker(self) -> None:
        worker = self._worker()
        if worker is None or not self.dashboard.may_write():
            return
        if await self.change(lambda database: drain_worker(database, worker)):
            self.dashboard.say(f"Worker {worker.key} ends once nothing waits and nothing runs there.")

    @work(group="act")
    async def action_go_on(self) -> None:
        worker = self._worker()
        if worker is None or not self.dashboard.may_write():
            return
        if await self.change(lambda database: let_go_on(database, worker)):
            self.dashboard.say(f"Worker {worker.key} starts runs again.")

    def action_worker_log(self) -> None:
        self.open_screen(WorkerLogScreen())
