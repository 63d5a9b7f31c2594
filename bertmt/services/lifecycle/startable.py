"""Which waiting runs will start by themselves, and why the others will not."""

from collections.abc import Collection, Mapping, Sequence

from bertmt.registry.database import Database
from bertmt.registry.finding import removed_with_ids, runs_in, runs_with_ids
from bertmt.registry.records import Run
from bertmt.registry.states import ENDED, WAITING, State

ENDED_BADLY = ENDED - {State.FINISHED}


def obstacles(runs: Sequence[Run], kinds: Collection[str]) -> dict[int, str]:
    """Why queued runs will not start without somebody's help, by their keys; those that will are left out.

    Args:
        runs: all that wait, and all that they wait for.
        kinds: of the devices that are worked: "cpu", "gpu".
    """
    by_id = {run.id: run for run in runs}
    found: dict[str, str | None] = {}
    return {
        run.key: reason
        for run in runs
        if run.state is State.QUEUED and (reason := _obstacle(run, by_id, kinds, found)) is not None
    }


def _obstacle(run: Run, by_id: Mapping[str, Run], kinds: Collection[str], found: dict[str, str | None]) -> str | None:
    """What stands in the way of a queued run; `found` remembers, as chains may be long and share their ends."""
    if run.id not in found:
        found[run.id] = None  # a chain that bites its own tail cannot be made, but must not hang us either
        found[run.id] = _own_obstacle(run, by_id, kinds, found)
    return found[run.id]


def _own_obstacle(
    run: Run, by_id: Mapping[str, Run], kinds: Collection[str], found: dict[str, str | None]
) -> str | None:
    if run.queueing.wants and run.queueing.wants not in kinds:
        return f"it needs a {run.queueing.wants.upper()}, which no worker has"
    for awaited_id, needs_success in run.queueing.awaits:
        other = by_id.get(awaited_id)
        if other is None:  # deleted for good meanwhile
            continue
        if other.state in (State.HELD, State.PAUSED) or (needs_success and other.state in ENDED_BADLY):
            return f"it waits for {other.id}, which is {other.state}"
        if other.state is State.QUEUED and _obstacle(other, by_id, kinds, found) is not None:
            return f"it waits for {other.id}, which will not start"
    return None


def waiting_runs(database: Database) -> list[Run]:
    """All that wait, and all that they wait for: what `obstacles` takes."""
    waiting = runs_in(database, *WAITING)
    return [*waiting, *awaited_runs(database, waiting)]


def awaited_runs(database: Database, waiting: Sequence[Run]) -> list[Run]:
    """What these runs wait for, unless it is among them; a removed run is waited for as before."""
    ids = sorted({awaited.id for run in waiting for awaited in run.queueing.awaits} - {run.id for run in waiting})
    return [*runs_with_ids(database, ids), *removed_with_ids(database, ids)]
