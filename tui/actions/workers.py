"""Starting workers: asked for, or offered where runs wait; they outlive the dashboard."""

from bertmt.services.browse.workload import workload
from bertmt.services.lifecycle.worker_start import await_worker
from bertmt.services.lifecycle.workers import start_detached_worker
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

    dashboard.say("A worker is being started …")
    pid = await dashboard.told(dashboard.ask(start, slow=True))
    if pid is not None:
        dashboard.say(f"Worker started, process {pid}. It goes on without the dashboard.")
        dashboard.look_again()


async def offer_worker(dashboard: Host) -> None:
    """Where runs wait and nobody works them, say why, or ask whether to start a worker."""
    found = await dashboard.ask(lambda session: workload(session.database))
    if found.held:
        dashboard.say("The queue is held: nothing is started before H on the queue's screen releases it.", "warning")
    elif found.queued and not found.workers:
        sentences = ["It takes the queued runs one after another, here, and goes on when the dashboard is left."]
        if await dashboard.ask_person(Question("No worker is alive. Start one?", sentences, "start")):
            await start_worker(dashboard, WorkerOrder())
