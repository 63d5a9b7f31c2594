"""The queue: in which order runs start, how many wait, and which place a run takes in it."""

from collections.abc import Iterable

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.states import State

# The order in which workers take runs; `place_of` says the same of records.
IN_ORDER = "priority DESC, position, key"
IS_BEFORE = "(-priority, position, key) < (?, ?, ?)"


def count_in(database: Database, state: State) -> int:
    """How many runs are in a state; those removed are in none that is counted."""
    found: int = database.execute("SELECT count(*) FROM runs WHERE state = ?", (state,)).fetchone()[0]
    return found


def running_ids(database: Database) -> dict[int | None, list[str]]:
    """The ids of the running runs, by the key of the worker that works them."""
    working: dict[int | None, list[str]] = {}
    for key, run_id in database.execute("SELECT worker, id FROM runs WHERE state = 'running' ORDER BY key"):
        working.setdefault(key, []).append(run_id)
    return working


def place_of(run: Run) -> tuple[int, float, int]:
    """By what waiting runs are ordered: workers take the lowest first."""
    return -run.queueing.priority, run.queueing.position, run.key


def count_before(database: Database, run: Run) -> int:
    """How many queued runs a worker takes before this one."""
    found: int = database.execute(
        f"SELECT count(*) FROM runs WHERE state = 'queued' AND {IS_BEFORE}", place_of(run)
    ).fetchone()[0]
    return found


def first_position(database: Database) -> float | None:
    """The lowest position of a waiting run; None where none waits."""
    found: float | None = database.execute(
        "SELECT min(position) FROM runs WHERE state IN ('queued', 'held')"
    ).fetchone()[0]
    return found


def lowest_position(database: Database) -> float:
    """The lowest position that any run has or had: a lower one is before all, whatever is queued again."""
    found: float | None = database.execute("SELECT min(position) FROM runs").fetchone()[0]
    return found or 0


def highest_position(database: Database) -> float:
    """The highest position that any run has or had."""
    found: float | None = database.execute("SELECT max(position) FROM runs").fetchone()[0]
    return found or 0


def waiting_positions(database: Database) -> dict[int, float]:
    """The positions of the queued and held runs by key, in the order in which workers come to them."""
    return dict(
        database.execute(
            f"SELECT key, position FROM runs WHERE state IN ('queued', 'held') ORDER BY {IN_ORDER}"
        ).fetchall()
    )


def store_positions(database: Database, positions: Iterable[tuple[int, float]]) -> None:
    """Give runs, by key, their places; inside a write transaction."""
    database.executemany("UPDATE runs SET position = ?2 WHERE key = ?1", positions)


def store_priority(database: Database, key: int, priority: int) -> None:
    """Give a run a priority; inside a write transaction."""
    database.execute("UPDATE runs SET priority = ? WHERE key = ?", (priority, key))
