"""Changing the order in which waiting runs are started: by priority, within one by position (`registry/queue.py`)."""

from collections.abc import Iterable, Sequence

from bertmt.errors import BusyError, UsageError
from bertmt.recipe.quoting import shown
from bertmt.registry import queue
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import WAITING

HIGHEST_PRIORITY = 1000


def parse_priority(text: str) -> int:
    """A priority as a person types it.

    Raises:
        UsageError: it is no whole number, or too far from 0.
    """
    try:
        priority = int(text)
    except ValueError:
        priority = HIGHEST_PRIORITY + 1
    if abs(priority) > HIGHEST_PRIORITY:
        raise UsageError(
            f"--priority expects a whole number from −{HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}, but found "
            f"{shown(text)}; 0 is usual."
        )
    return priority


def queue_order(database: Database) -> list[Run]:
    """The queued and held runs, in the order in which workers come to them."""
    return in_order(runs_in(database, *WAITING))


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Waiting runs, in the order in which workers come to them."""
    return sorted(runs, key=queue.place_of)


def prioritise(database: Database, run: Run, priority: int) -> Run:
    """Give a waiting run a priority; 0 is the usual one, higher ones are started first.

    Raises:
        BusyError: it does not wait.
    """
    with database.immediate():
        waiting(database, run, "given a priority")
        queue.store_priority(database, run.key, priority)
        return run_by_key(database, run.key)


def reorder(database: Database, run: Run, first: bool = True, before: Run | None = None) -> Run:
    """Put a waiting run first, last, or before another; it takes on the priority of that place.

    Raises:
        BusyError: it does not wait, or the other does not.
        UsageError: the other is the run itself.
    """
    with database.immediate():
        waiting(database, run, "moved")
        keys = [key for key in queue.waiting_positions(database) if key != run.key]
        if before is not None:
            if before.key == run.key:
                raise UsageError(f"Run {run.id} cannot be moved before itself; name another with --before.")
            waiting(database, before, "places to move others to")
            place = keys.index(before.key)
        else:
            place = 0 if first else len(keys)
        return _place(database, run, keys, place)


def shift(database: Database, run: Run, places: int) -> Run:
    """Move a waiting run so many places towards the end of the queue, or with a negative number to its front.

    Raises:
        BusyError: it does not wait.
    """
    with database.immediate():
        waiting(database, run, "moved")
        keys = list(queue.waiting_positions(database))
        here = keys.index(run.key)
        del keys[here]
        return _place(database, run, keys, min(max(here + places, 0), len(keys)))


def waiting(database: Database, run: Run, verb: str) -> Run:
    """The run as it is now.

    Raises:
        BusyError: it is neither queued nor held.
    """
    current = run_by_key(database, run.key)
    if current.state not in WAITING:
        raise BusyError(f"Run {run.id} is {current.state}; only queued and held runs can be {verb}.")
    return current


def _place(database: Database, run: Run, others: Sequence[int], place: int) -> Run:
    """Put a run between the others, with the priority of the run behind it, or of the last."""
    if others:
        neighbour = run_by_key(database, others[min(place, len(others) - 1)])
        queue.store_priority(database, run.key, neighbour.queueing.priority)
    before = queue.waiting_positions(database)
    # All keep together their positions, so that only the runs in between are written.
    free = sorted(before.values())
    if len(set(free)) < len(free):
        free = [free[0] + offset for offset in range(len(free))]
    after = zip([*others[:place], run.key, *others[place:]], free, strict=True)
    queue.store_positions(database, [(key, position) for key, position in after if before[key] != position])
    return run_by_key(database, run.key)
