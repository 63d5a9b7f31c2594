"""Reading and writing searches. All that a search must remember is here: its process may be killed at any moment."""

from collections.abc import Sequence
from dataclasses import fields

from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.searches.records import Search, Trial
from bertmt.run_folder.events import now

_SEARCH = ", ".join(each.name for each in fields(Search))
_TRIAL = "search, number, run, settings, rung"


def add_search(database: Database, name: str, plan: str, runs: int | None) -> Search:
    """Store a new search; inside a write transaction."""
    database.execute(
        "INSERT INTO searches (name, plan, runs, created_at) VALUES (?, ?, ?, ?)", (name, plan, runs, now())
    )
    return search_named(database, name)


def all_searches(database: Database) -> list[Search]:
    """All searches, the newest last."""
    return [_search(row) for row in database.execute(f"SELECT {_SEARCH} FROM searches ORDER BY key")]


def search_named(database: Database, name: str) -> Search:
    """The search of that name.

    Raises:
        NotFoundError: there is none.
    """
    for row in database.execute(f"SELECT {_SEARCH} FROM searches WHERE name = ?", (name,)):
        return _search(row)
    raise NotFoundError(f"No search is called {name!r}; `bertmt searches` lists them.")


def searches_of(database: Database, run_id: str) -> list[Search]:
    """The searches that tried the recipe of a run."""
    keys = "SELECT search FROM trials WHERE run = ?"
    rows = database.execute(f"SELECT {_SEARCH} FROM searches WHERE key IN ({keys}) ORDER BY key", (run_id,))
    return [_search(row) for row in rows]


def _search(row: Sequence[object]) -> Search:
    return Search(**dict(zip((each.name for each in fields(Search)), row, strict=True)))  # type: ignore[arg-type]


def is_name_taken(database: Database, name: str) -> bool:
    """Whether a search has that name."""
    return database.execute("SELECT 1 FROM searches WHERE name = ?", (name,)).fetchone() is not None


def add_trials(database: Database, trials: Sequence[Trial]) -> None:
    """Store recipes that are tried; inside the write transaction that queues their runs."""
    database.executemany(
        f"INSERT INTO trials ({_TRIAL}) VALUES (?, ?, ?, ?, ?)",
        [(each.search, each.number, each.run, each.settings_json, each.rung) for each in trials],
    )


def trials_of(database: Database, search: int) -> list[Trial]:
    """The recipes that a search tried, in their order."""
    rows = database.execute(f"SELECT {_TRIAL} FROM trials WHERE search = ? ORDER BY number", (search,))
    return [
        Trial(search=row[0], number=row[1], run=row[2], settings_json=row[3], rung=row[4]) for row in rows.fetchall()
    ]


def store_rung(database: Database, trial: Trial, rung: int) -> None:
    """Let a recipe go on to a rung; inside a write transaction."""
    database.execute("UPDATE trials SET rung = ? WHERE search = ? AND number = ?", (rung, trial.search, trial.number))


def store_runs(database: Database, search: int, runs: int) -> None:
    """Settle how many recipes a search tries; inside a write transaction."""
    database.execute("UPDATE searches SET runs = ? WHERE key = ?", (runs, search))


def store_plan(database: Database, search: int, plan: str) -> None:
    """Replace what a search remembers of what was asked for; inside a write transaction."""
    database.execute("UPDATE searches SET plan = ? WHERE key = ?", (plan, search))


def store_held_out(database: Database, search: int, held_out: str) -> None:
    """Keep the mask of dev; inside a write transaction."""
    database.execute("UPDATE searches SET held_out = ? WHERE key = ?", (held_out, search))


def end_search(database: Database, search: int, outcome: str) -> None:
    """Say that a search has ended, and why; inside a write transaction."""
    database.execute("UPDATE searches SET ended_at = ?, outcome = ? WHERE key = ?", (now(), outcome, search))
