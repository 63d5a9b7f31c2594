"""What keeps a queued run from being started."""

from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.registry.records import Run
from bertmt.services.browse.queue_times import kinds_of
from bertmt.services.browse.workload import count_before, workload
from bertmt.services.lifecycle.startable import obstacles, waiting_runs
from tui.bindings import bound
from tui.registry_lane import Session


def why_it_waits(session: Session, run: Run) -> str:
    """On the registry's thread: what stands in the way, the first that a person can do something about; else whose turn
    it is. A sentence."""
    database = session.database
    work = workload(database)
    if work.held:
        return f"The queue is held: {bound('queue.hold_all')} on the queue screen releases it."
    if not work.workers:
        return f"No worker is running: `bertmt worker`, or {bound('workers.start')} on the queue screen, starts one."
    obstacle = obstacles(waiting_runs(database), kinds_of(work)).get(run.key)
    if obstacle is not None:
        return safe_text(f"It will not start: {obstacle}.")
    if all(worker.starts_nothing for worker, _ in work.workers):
        return f"The worker is halted after crashes: {bound('workers.go_on')} on the queue screen resets it."
    before = count_before(database, run)
    return f"{counted(before, 'run starts', 'runs start')} before it." if before else "It is next."
