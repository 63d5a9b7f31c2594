"""The queue as a whole: holding it, and the order in which its runs come."""

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import QUEUE_HELD, all_runs, setting, store_setting
from bertmt.run_folder.events import now


def hold_queue(database: Database) -> None:
    """Let no worker start anything; what runs goes on to its end."""
    if not queue_is_held(database):
        store_setting(database, QUEUE_HELD, now())


def release_queue(database: Database) -> None:
    """Let workers start queued runs again; single runs that are held stay so."""
    store_setting(database, QUEUE_HELD, None)


def queue_is_held(database: Database) -> bool:
    """Whether somebody holds the queue."""
    return setting(database, QUEUE_HELD) is not None


def queue_order(database: Database) -> list[Run]:
    """The queued and held runs, in the order in which workers come to them."""
    waiting = all_runs(database, "runs.state IN ('queued', 'held')")
    return sorted(waiting, key=lambda run: (run.position, run.key))
