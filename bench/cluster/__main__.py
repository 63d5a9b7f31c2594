"""`python -m bench.cluster`: a worker of 10,000 jobs, with a `squeue` that lists as many; see docs/slurm.md."""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measuring import Figure, table
from bench.registries import filled_registry
from bertmt.launchers.slurm.commands import FIELDS, SQUEUE, Question, ask
from bertmt.launchers.slurm.launcher import SlurmLauncher
from bertmt.launchers.slurm.script import job_name
from bertmt.launchers.slurm.settings import SlurmSettings
from bertmt.launchers.slurm.words import rows_of
from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs
from bertmt.worker.worker import Worker

JOBS = 10_000
SUBMITTED = 200  # so many submissions are enough to know one


def install(folder: Path, rows: Path) -> None:
    """Commands of Slurm's that cost nothing: `squeue` prints a file, `sbatch` counts."""
    programs = {"squeue": f'exec cat "{rows}"', "sbatch": "cat > /dev/null; echo $$; exit 0", "scancel": "exit 0"}
    for name, line in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def write_rows(path: Path, database: Database) -> None:
    """What squeue says of all runs: half of them wait."""
    lines = []
    for run in all_runs(database, "runs.state = 'running'"):
        job = run.execution.job
        state, reason = ("PENDING", "Resources") if run.key % 2 else ("RUNNING", "None")
        row = dict.fromkeys(FIELDS, "") | {
            "JobID": job.handle if job else "", "Name": job_name(run.id, run.attempt), "State": state, "exit_code": "0",
            "NodeList": "" if run.key % 2 else f"node{run.key % 500:03}", "TimeLimit": "1-00:00:00",
            "TimeLeft": "12:00:00", "PreemptTime": "N/A", "Reason": reason,
        }  # fmt: skip
        lines.append("|".join(row.values()) + "|")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def all_running(database: Database) -> None:
    """As if a worker that is gone had submitted every run."""
    with database.immediate():
        database.execute("UPDATE runs SET state = 'running', attempt = 1, device = 'cpu'")
        database.execute("DELETE FROM jobs")
        database.execute("INSERT INTO jobs (run, attempt, launcher, handle) SELECT key, 1, 'slurm', key FROM runs")


def once(act: Callable[[], object]) -> float:
    """Seconds of CPU in this process: what others do on the machine, and the disk, is not its cost."""
    start = time.process_time()
    act()
    return time.process_time() - start


def median(act: Callable[[], object]) -> float:
    return statistics.median(once(act) for _ in range(3))


def settled_rounds(worker: Worker) -> float:
    """Seconds of a round in which nothing is new."""
    while any(not (work.run.execution.job and work.run.execution.job.phase) for work in worker.children.values()):
        worker.round()
    return median(worker.round)


def figures(jobs: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, filled_registry(Path(name) / "runs.db", jobs) as database:
        folder, rows = Path(name), Path(name) / "rows"
        install(folder, rows)
        rows.touch()
        settings = SlurmSettings(max_jobs=SUBMITTED, poll_seconds=1e9)
        launcher = SlurmLauncher(settings)
        worker = Worker(database, launcher.slots(), lambda line: None, launcher=launcher)
        submitted = once(worker.round) / SUBMITTED
        everything = median(lambda: all_runs(database))
        all_running(database)
        with_jobs = median(lambda: all_runs(database))
        write_rows(rows, database)
        said = ask(SQUEUE).said
        parsed = median(lambda: list(rows_of(said)))
        started = median(lambda: Question(SQUEUE))
        launcher = SlurmLauncher(SlurmSettings(max_jobs=jobs, poll_seconds=0.1))
        worker = Worker(database, launcher.slots(), lambda line: None, launcher=launcher)
        adopted = once(worker.round)
        first = once(worker.round) + once(worker.round)
        quiet = settled_rounds(worker)
        beside = median(lambda: all_runs(database))
    many = f"{jobs:,} jobs"
    return [
        Figure("submit one run, sbatch itself aside", submitted * 1e3, "ms"),
        Figure(f"list {many}", with_jobs, "s", peer="without jobs", peer_value=everything),
        Figure(f"list {many} of which something was heard", beside, "s", peer="without jobs", peer_value=everything),
        Figure(f"squeue: {len(said) / 1e6:.1f} MB, to be read", parsed * 1e3, "ms"),
        Figure("start squeue, which is not waited for", started * 1e3, "ms"),
        Figure(f"adopt {many} of a worker that died", adopted, "s"),
        Figure(f"keep what was heard first of {many}", first, "s"),
        Figure(f"a round of {many} in which nothing is new", quiet, "s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    print(table(figures(parser.parse_args().jobs)))


if __name__ == "__main__":
    main()
