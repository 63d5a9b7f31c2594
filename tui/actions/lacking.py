"""Queueing the runs that are lacking to know more, once a person has seen how many and how long they take."""

from collections.abc import Callable, Sequence

from bertmt.drawing.numbers import counted
from bertmt.services.plan.submit import Plan, submit
from tui.dialogs.question import Question
from tui.host import Host
from tui.registry_lane import Session
from tui.undoing import queued, remember


async def queue_lacking(
    dashboard: Host, planned: Callable[[Session], tuple[Plan | None, Sequence[str]]], purpose: str
) -> bool:
    """Plan the runs, ask, and queue them; whether they were queued.

    Args:
        planned: on the registry's thread: the runs, and what a person should read before the answer; None and why there
            are none.
        purpose: behind "Queue 4 runs".
    """
    if not dashboard.may_write():
        return False
    ready = await dashboard.attempt(dashboard.ask(planned, slow=True))
    if ready is None:
        return False
    made, said = ready
    if made is None:
        dashboard.notify(" ".join(said))
        return False
    runs = counted(len(made.runs), "run")
    if not await dashboard.ask_person(Question(f"Queue {runs} {purpose}?", list(said), "queue")):
        return False
    done = await dashboard.insist(lambda session: submit(session.database, made), slow=True)
    if done is None:
        return False
    dashboard.notify(f"Queued {counted(len(done), 'run')}.")
    remember(dashboard.done, queued(done))
    return True
