"""Which run starts next, and taking it: what a worker asks of the registry."""

from bertmt.registry.database import Database
from bertmt.registry.jobs.rows import add_job
from bertmt.registry.queue import IN_ORDER
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, note, record, run_by_key
from bertmt.registry.states import ENDED, Actor, State
from bertmt.run_folder.events import now
from bertmt.run_folder.processes import moment

QUEUE_HELD = "queue_held"  # a setting of the registry; its value is since when
# The queued runs that may start now on a kind of device ("cpu" or "gpu"), at a time, both parameters in this order.
STARTABLE = (
    "state = 'queued' AND removed_at IS NULL AND wants IN ('', ?) AND (not_before_at IS NULL OR not_before_at <= ?)"
    " AND NOT EXISTS (SELECT 1 FROM dependencies JOIN runs AS awaited ON awaited.key = dependencies.awaited"
    " WHERE dependencies.run = runs.key AND awaited.state != 'finished'"
    f" AND (needs_success OR awaited.state NOT IN ({', '.join(repr(str(state)) for state in sorted(ENDED))})))"
    # In this very statement: of two workers that come at once one must find the budget used up.
    " AND (budget IS NULL OR EXISTS (SELECT 1 FROM budgets WHERE budgets.key = runs.budget AND stops_all = 0"
    " AND (most_runs IS NULL OR runs.attempt > 0 OR most_runs >"
    " (SELECT count(*) FROM runs AS begun WHERE begun.budget = runs.budget AND begun.attempt > 0))))"
)


def next_to_start(database: Database, device: str) -> Run | None:
    """The run that `claim_next` would take now."""
    found = all_runs(
        database,
        f"runs.key = (SELECT key FROM runs WHERE {STARTABLE} ORDER BY {IN_ORDER} LIMIT 1)"
        " AND NOT EXISTS (SELECT 1 FROM settings WHERE name = ?)",
        (device_kind(device), now(), QUEUE_HELD),
    )
    return found[0] if found else None


def device_kind(device: str) -> str:
    """ "cpu" or "gpu": what a run may want, of "cpu" or the UUID of a GPU."""
    return "cpu" if device == "cpu" else "gpu"


def claim_next(
    database: Database, worker: int | None, device: str, expected: int | None = None, launcher: str = ""
) -> Run | None:
    """Take the first queued run that may start on a device, as a new attempt; None where none may.

    None may where the queue is held. A run may not before its time, before the runs that it waits for have ended, and
    on a device that it does not want. One statement, so that no two workers get the same run.

    Args:
        expected: the key of the run that should come, for which its device was made ready; another is not taken.
        launcher: the one that hands the attempt to a scheduler; "": it becomes a process of this machine.
    """
    with database.immediate():
        # Bare: sqlite-utils' update knows neither a condition nor RETURNING, and two statements would be two chances.
        row = database.execute(
            "UPDATE runs SET state = 'running', attempt = attempt + 1, worker = ?, device = ?, started_at = ?,"
            " ended_at = NULL, failure = NULL, request = NULL"
            f" WHERE key = (SELECT key FROM runs WHERE {STARTABLE} ORDER BY {IN_ORDER} LIMIT 1)"
            " AND NOT EXISTS (SELECT 1 FROM settings WHERE name = ?) AND (? IS NULL OR key = ?)"
            " RETURNING key, attempt",
            (worker, device, now(), device_kind(device), now(), QUEUE_HELD, expected, expected),
        ).fetchone()
        if row is None:
            return None
        key, attempt = row
        if launcher:
            add_job(database, key, attempt, launcher)
        # Whoever finds the run without a process knows how long ago that was.
        database.execute("UPDATE workers SET beat = ? WHERE key = ?", (moment(), worker))
        # Until it has begun: how far the attempt before came says nothing of one that starts from the beginning.
        database.execute(
            "UPDATE summaries SET phase = NULL, step = NULL, epoch = NULL, seconds_left = NULL"
            " WHERE run = ? AND checkpoint_step IS NULL",
            (key,),
        )
        record(
            database, key, attempt, State.QUEUED, State.RUNNING, Actor.CLAIM, f"taken by worker {worker} on {device}"
        )
        return run_by_key(database, key)


def adopt(database: Database, run: Run, worker: int) -> Run | None:
    """Make a worker the one that looks after a running run whose own is gone; None where another was faster."""
    with database.immediate():
        taken = database.execute(
            "UPDATE runs SET worker = ? WHERE key = ? AND worker IS ? AND attempt = ? AND state = 'running'",
            (worker, run.key, run.execution.worker, run.attempt),
        ).rowcount
        if not taken:
            return None
        note(database, run.key, Actor.CLAIM, f"adopted by worker {worker}: its own is gone, its process is not")
        return run_by_key(database, run.key)


def is_awaited(database: Database, run: Run) -> bool:
    """Whether a run waits for the success of this one, which it has not had."""
    row = database.execute(
        "SELECT 1 FROM dependencies JOIN runs AS waiting ON waiting.key = dependencies.run WHERE awaited = ?"
        " AND needs_success AND waiting.state IN ('queued', 'held') AND waiting.removed_at IS NULL AND ? != 'finished'",
        (run.key, run.state),
    ).fetchone()
    return row is not None
