"""`python -m torture.crowd`: 32 children write at once, two workers import, and somebody looks on.

No point may be lost, and nobody may be refused by a lock.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from torture.invariants import violations
from torture.stage import Stage

CHILDREN, STEPS, EPOCHS = 32, 1000, 2
PAUSE_MILLISECONDS = 10
PATIENCE_SECONDS = 600.0
REFUSALS = ("locked", "cannot be used", "busy", "Traceback (most recent call last)")


def play(folder: Path, children: int, steps: int) -> list[str]:
    """Let them work; what was wrong. Prints figures."""
    stage = Stage(folder)
    try:
        for seed in range(children):
            stage.add_run(seed, EPOCHS, steps // EPOCHS, steps // (2 * EPOCHS), PAUSE_MILLISECONDS)
        begun = time.monotonic()
        workers = [stage.worker(slots=children // 2, hurried=False) for _ in range(2)]
        stage.dashboard()
        for worker in workers:
            stage.wait(worker, PATIENCE_SECONDS)
        seconds = time.monotonic() - begun
        found = [*stage.violations, *_of_runs(stage), *_refusals(stage)]
        with stage.open() as database:
            found += violations(database, stage.expected)
            rows = database.execute(
                "SELECT name, count(*) FROM metrics JOIN series ON series.key = series GROUP BY name ORDER BY name"
            ).fetchall()
        print(f"{children} children, 2 workers, a dashboard: {children * steps:,} steps in {seconds:.1f} s")
        for name, count in rows:
            print(f"{count:10,} points of {name}")
        return found
    finally:
        stage.close()


def _of_runs(stage: Stage) -> Iterator[str]:
    for run in stage.runs():
        if run.state is not State.FINISHED or run.attempt != 1:
            yield f"{run.id} is {run.state} after {run.attempt} attempts"


def _refusals(stage: Stage) -> Iterator[str]:
    """What anybody said that speaks of a lock or a fault: workers, children, the dashboard."""
    said = {"workers": stage.output(), "dashboard": stage.screen()}
    with stage.open() as database:
        for run in stage.runs():
            log = folder_of(database, run).log(1)
            said[run.id] = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    if "walk-" not in said["dashboard"]:
        yield "the dashboard showed no run, so nobody looked on"
    for who, text in said.items():
        for word in REFUSALS:
            if word in text:
                yield f"{who} said {word!r}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture.crowd", description=__doc__)
    parser.add_argument("--children", type=int, default=CHILDREN)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="torture-crowd-") as folder:
        found = play(Path(folder), arguments.children, arguments.steps)
    for violation in found:
        print(violation)
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
