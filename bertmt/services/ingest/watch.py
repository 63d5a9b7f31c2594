"""What a front end that stays open asks several times a second: is there anything new?"""

from bertmt.registry.changes import commits_seen
from bertmt.registry.database import Database
from bertmt.services.ingest.reconcile import ingest_running


class Watch:
    """Imports what children wrote, and tells whether anything in the registry changed, whoever wrote it.

    Like its database it belongs to one thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: tuple[int, int] | None = None

    def poll(self) -> bool:
        """Import and settle all running runs, and say whether anything changed since the last call.

        True at the first call. Runs that a worker imports are imported here too, whoever is first: their points are
        wanted now.

        Raises:
            RegistryError: the registry is locked or cannot be used any more.
        """
        reopened = self._database.reopen_if_written()
        ingest_running(self._database, silent_only=False)
        seen = commits_seen(self._database)
        changed = reopened or seen != self._seen
        self._seen = seen
        return changed
