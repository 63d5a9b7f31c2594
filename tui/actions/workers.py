"""Starting workers: asked for, or offered where runs wait; they outlive the dashboard."""

from bertmt.services.browse.workload import workload
from bertmt.services.lifecycle.worker_start import await_worker
from bertmt.services.lifecycle.workers import start_detached_worker
from tui.bindings import bound
from tui.dialogs.question import Question
from tui.dialogs.start_worker import WorkerOrder
from tui.host import Host
from tui.registry_lane import Session


async def start_worker(dashboard: Host, order: WorkerOrder) -> None:
    """Start a worker, and say when it is there or why it is not."""

    def start(session: Session) -> int:
        pid = start_detached_worker(session.database.path, order.drain, order.slots, order.device)
        await_worker(session.database, pid)
        return pid

    dashboard.notify("Starting a worker …")
    pid = await dashboard.insist(start, slow=True)
    if pid is not None:
        dashboard.notify(f"Worker started, process {pid}. It continues without the dashboard.")
        dashboard.look_again()


async def offer_worker(dashboard: Host) -> None:
    """Where runs wait and nobody works them, say why, or ask whether to start a worker."""
    found = await dashboard.ask(lambda session: workload(session.database))
    if found.held:
        dashboard.notify(
            f"The queue is held: nothing starts until {bound('queue.hold_all')} on the queue screen releases it.",
            severity="warning",
        )
    elif found.queued and not found.workers:
        sentences = [
            "It runs the queued runs one after another, on this machine, and continues when the dashboard is closed."
        ]
        if await dashboard.ask_person(Question("No worker is running. Start one?", sentences, "start")):
            await start_worker(dashboard, WorkerOrder())
