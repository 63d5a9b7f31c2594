"""Budgets: how much the runs of one command may use together, and what they have used."""

from dataclasses import dataclass

from bertmt.registry.changes import TOLD
from bertmt.registry.database import Database
from bertmt.registry.records import JOULES_PER_KWH, Run
from bertmt.registry.runs import all_runs, setting
from bertmt.run_folder.events import now


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much runs may use together; None: no bound.

    Attributes:
        hours: of training, from the first event of each attempt to its last, all runs added up.
        most_runs: how many may be begun.
    """

    hours: float | None = None
    kwh: float | None = None
    most_runs: int | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A budget as it is stored.

    Attributes:
        used_up_at: None: it is not.
        why: what of it is used up, the rest of a sentence.
        stops_all: 1: nothing of it is started any more; 0: what was begun may go on.
    """

    key: int
    hours: float | None
    kwh: float | None
    most_runs: int | None
    used_up_at: str | None
    why: str
    stops_all: int


@dataclass(frozen=True, kw_only=True)
class Used:
    """What the runs of a budget have used.

    Attributes:
        kwh: as far as it was measured.
        begun: how many of the runs, those removed since among them.
        unmeasured: the id of a run that trained and whose energy nobody measured; "": there is none.
    """

    hours: float
    kwh: float
    begun: int
    runs: int
    unmeasured: str


def add_budget(database: Database, limits: Limits) -> int:
    """Store a budget; its key. Inside a write transaction."""
    key: int = database.execute(
        "INSERT INTO budgets (hours, kwh, most_runs, created_at) VALUES (?, ?, ?, ?)",
        (limits.hours, limits.kwh, limits.most_runs, now()),
    ).lastrowid
    return key


def budget(database: Database, key: int) -> Budget:
    """The budget with that key."""
    columns = ", ".join(Budget.__dataclass_fields__)
    row = database.execute(f"SELECT {columns} FROM budgets WHERE key = ?", (key,)).fetchone()
    return Budget(**dict(zip(Budget.__dataclass_fields__, row, strict=True)))


def used_of(database: Database, key: int) -> Used:
    """What the runs of a budget have used until their newest events."""
    hours, joules = database.execute(
        # A clock that was set back takes nothing away.
        "SELECT coalesce(sum(max(julianday(last_at) - julianday(began_at), 0)), 0) * 24,"
        " coalesce(sum(coalesce(gpu_joules, 0) + coalesce(cpu_joules, 0)), 0)"
        " FROM attempts JOIN runs ON runs.key = run WHERE budget = ?",
        (key,),
    ).fetchone()
    begun, runs = database.execute(
        "SELECT coalesce(sum(attempt > 0), 0), count(*) FROM runs WHERE budget = ?", (key,)
    ).fetchone()
    unmeasured = database.execute(
        # An attempt that has told no more than its first event has not told of its energy yet.
        "SELECT id FROM attempts JOIN runs ON runs.key = run WHERE budget = ? AND last_at > began_at"
        " AND gpu_joules IS NULL AND cpu_joules IS NULL ORDER BY runs.key LIMIT 1",
        (key,),
    ).fetchone()
    return Used(
        hours=hours, kwh=joules / JOULES_PER_KWH, begun=begun, runs=runs, unmeasured=unmeasured[0] if unmeasured else ""
    )


def runs_of(database: Database, key: int) -> list[Run]:
    """The runs that share a budget, newest last."""
    return all_runs(database, "runs.budget = ?", (key,))


def runs_at_work(database: Database, key: int) -> list[Run]:
    """Those that share a budget and are queued or running, newest last."""
    return all_runs(database, "runs.budget = ? AND runs.state IN ('queued', 'running')", (key,))


def budgets_at_work(database: Database) -> list[int]:
    """The keys of those of which a run is queued or running."""
    rows = database.execute(
        "SELECT DISTINCT budget FROM runs WHERE budget IS NOT NULL AND state IN ('queued', 'running')"
        " AND removed_at IS NULL"
    )
    return [key for (key,) in rows]


def use_up(database: Database, key: int, why: str, stops_all: bool) -> bool:
    """Say that a budget is used up; whether that is new. Inside a write transaction."""
    return bool(
        database.execute(
            "UPDATE budgets SET used_up_at = ?, why = ?, stops_all = ?, told = 0"
            " WHERE key = ? AND (used_up_at IS NULL OR stops_all < ?)",
            (now(), why, stops_all, key, stops_all),
        ).rowcount
    )


def take_used_up(database: Database) -> list[tuple[int, str]]:
    """The budgets that were used up since this was last asked, by any process: key and why; none the first time."""
    untold = "used_up_at IS NOT NULL AND told = 0"
    if database.execute(f"SELECT 1 FROM budgets WHERE {untold}").fetchone() is None:
        return []  # mostly; nothing is locked for that
    with database.immediate():
        is_first = setting(database, TOLD) is None
        rows: list[tuple[int, str]] = database.execute(
            f"UPDATE budgets SET told = 1 WHERE {untold} RETURNING key, why"
        ).fetchall()
        return [] if is_first else sorted(rows)
