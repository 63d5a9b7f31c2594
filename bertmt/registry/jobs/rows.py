"""Jobs: attempts that a scheduler runs on some machine, and what it said of them last."""

from bertmt.registry.database import Database
from bertmt.registry.jobs.record import Job
from bertmt.registry.records import Run


def add_job(database: Database, key: int, attempt: int, launcher: str) -> None:
    """Say that a launcher is about to hand an attempt to its scheduler; inside the transaction that claims the run.

    From here on the scheduler's word decides about its life, not a lock.
    """
    database.execute("INSERT INTO jobs (run, attempt, launcher) VALUES (?, ?, ?)", (key, attempt, launcher))


def store_job(database: Database, run: Run, job: Job) -> None:
    """Keep what the scheduler says of a run's attempt now; but not what its child has said."""
    with database.immediate():
        database.execute(
            "UPDATE jobs SET handle = ?, phase = ?, reason = ?, node = ?, time_limit = ? WHERE run = ? AND attempt = ?",
            (job.handle, job.phase, job.reason, job.node, job.time_limit, run.key, run.attempt),
        )


def store_obeyed(database: Database, run: Run, signal: str) -> None:
    """Keep that the child of a job wrote a checkpoint and ended as a signal asked; inside a write transaction."""
    database.execute("UPDATE jobs SET obeyed = ? WHERE run = ? AND attempt = ?", (signal, run.key, run.attempt))
