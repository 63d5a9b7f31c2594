"""What changed since somebody last looked; triggers of the schema number the changes of each run.

And which ends of runs nobody was told of yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import COLUMNS, runs_of, setting, store_setting
from bertmt.registry.states import Actor, State

TOLD = "told_through"  # the setting with the key of the last transition that people were told of
MOST_NEWS = 1000


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


class Ending(NamedTuple):
    """An attempt that ended by itself.

    Attributes:
        state: what it ended as: finished, failed or lost.
        reason: as the history of the run tells it.
    """

    run: int
    state: State
    reason: str


def take_news(database: Database) -> list[Ending]:
    """The ends since this was last asked, by any process, oldest first; each is had once. None the first time.

    What a person did is no news.
    """
    if setting(database, TOLD) == str(_newest(database)):
        return []  # mostly; nothing is locked for that
    with database.immediate():
        told = setting(database, TOLD)
        store_setting(database, TOLD, str(_newest(database)))
        if told is None:
            return []
        rows = database.execute(
            "SELECT transitions.run, state_after, transitions.reason FROM transitions "
            "JOIN runs ON runs.key = transitions.run AND runs.removed_at IS NULL "
            "WHERE transitions.key > ? AND state_after IN (?, ?, ?) AND actor IN (?, ?) "
            # Runs that were brought in ended elsewhere, or long ago.
            "AND NOT EXISTS (SELECT 1 FROM transitions AS began WHERE began.run = transitions.run "
            "AND began.attempt = transitions.attempt AND began.actor = ?) "
            "ORDER BY transitions.key LIMIT ?",
            (int(told), State.FINISHED, State.FAILED, State.LOST, Actor.EVENT, Actor.DEATH, Actor.IMPORT, MOST_NEWS),
        ).fetchall()
    return [Ending(run, State(state), reason or "") for run, state, reason in rows]


def _newest(database: Database) -> int:
    """The key of the newest transition of all."""
    found: int = database.execute("SELECT coalesce(max(key), 0) FROM transitions").fetchone()[0]
    return found
