"""What each attempt used, by its own events: from its first to its newest, so that a run whose machine was off, or
whose process is long gone, used no time since. What writes here is called inside a write transaction."""

from bertmt.registry.database import Database
from bertmt.registry.records import Run


def store_times(database: Database, run: Run, first: str, last: str) -> None:
    """The run's attempt has told from `first` on, and `last` is when it did so last."""
    database.execute(
        "INSERT INTO attempts (run, attempt, began_at, last_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (run, attempt) DO UPDATE SET last_at = excluded.last_at",
        (run.key, run.attempt, first, last),
    )


def store_energy(database: Database, run: Run, gpu: float | None, cpu: float | None, shared: bool) -> None:
    """What the run's attempt has drawn since it began, in joules; its times are stored already."""
    database.execute(
        "UPDATE attempts SET gpu_joules = ?, cpu_joules = ?, shared = ? WHERE run = ? AND attempt = ?",
        (gpu, cpu, shared, run.key, run.attempt),
    )


def sum_energy(database: Database, run: int) -> None:
    """Make the run's energy the sum over its attempts; of none where one of them is not known."""
    whole = "CASE WHEN count({0}) = count(*) THEN sum({0}) END"
    database.execute(
        "UPDATE summaries SET (gpu_joules, cpu_joules, energy_shared) ="
        f" (SELECT {whole.format('gpu_joules')}, {whole.format('cpu_joules')}, coalesce(max(shared), 0)"
        " FROM attempts WHERE attempts.run = summaries.run) WHERE run = ?",
        (run,),
    )
