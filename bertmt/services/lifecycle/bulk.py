"""One verb for several runs: where one of them cannot, nothing is done to any."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from bertmt.errors import BusyError, DataError, NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.services.ingest.reconcile import bring_up_to_date


def for_all(database: Database, runs: Sequence[Run], verb: Callable[[Database, Run], Run]) -> list[Run]:
    """The runs as they are afterwards.

    Raises:
        BertmtError: as the verb, of the first run that it refuses; the registry is then as it was.
    """
    for run in runs:
        # Before the transaction, whose end may put back what it did: that a process is gone stays true.
        with suppress(DataError, NotFoundError):
            bring_up_to_date(database, run_by_key(database, run.key))
    try:
        with database.immediate():
            return [verb(database, run) for run in runs]
    except BusyError as problem:
        if len(runs) == 1:
            raise
        raise BusyError(f"{problem} No action was taken on any of the {len(runs)} runs.") from None
