"""The queue as a whole: holding it."""

from bertmt.registry.claims import QUEUE_HELD
from bertmt.registry.database import Database
from bertmt.registry.runs import setting, store_setting
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
