"""A list of runs for who looks once."""

from bertmt.registry.database import Database
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_list import RunList
from bertmt.services.ingest.reconcile import ingest_running


def list_runs(database: Database, filter_text: str = "", sort: str = "", limit: int = 0) -> list[Row]:
    """The runs that match, sorted as `RunList.rows` does it; live ones are imported first.

    Raises:
        UsageError: the filter or the sort cannot be understood.
    """
    ingest_running(database)
    found = RunList(database)
    found.refresh()
    return found.rows(filter_text, sort, limit)
