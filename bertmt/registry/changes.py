"""What changed since somebody last looked; triggers of the schema number the changes of each run."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import COLUMNS, runs_of


@dataclass(frozen=True)
class Changes:
    """The runs that changed after a certain number.

    Attributes:
        runs: as they are now, those that changed last at the end.
        removed: keys of runs that are gone.
        newest: the number to ask with the next time.
    """

    runs: Sequence[Run]
    removed: Sequence[int]
    newest: int


def commits_seen(database: Database) -> tuple[int, int]:
    """What is another as soon as anybody has written anything since: others' commits, and rows changed here."""
    version: int = database.execute("PRAGMA data_version").fetchone()[0]
    return version, database.connection.total_changes


def newest_change(database: Database) -> int:
    """The number of the last change of any run; 0 before the first."""
    found: int = database.execute("SELECT coalesce(max(number), 0) FROM changes").fetchone()[0]
    return found


def changed_runs(database: Database, after: int = 0) -> Changes:
    """What changed after that number; after 0 that is every run.

    One statement, and so one view of the registry, whoever writes meanwhile.
    """
    rows = database.execute(
        f"SELECT changes.number, changes.run, {COLUMNS} FROM changes"
        " LEFT JOIN runs ON runs.key = changes.run AND runs.removed_at IS NULL"
        " LEFT JOIN summaries ON summaries.run = changes.run"
        " WHERE changes.number > ? ORDER BY changes.number",
        (after,),
    ).fetchall()
    runs = runs_of(database, [columns for _, _, *columns in rows if columns[0] is not None])
    removed = [key for _, key, *columns in rows if columns[0] is None]
    return Changes(runs, removed, rows[-1][0] if rows else after)
