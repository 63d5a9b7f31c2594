"""`bertmt wait`."""

from typing import TYPE_CHECKING

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry, named_runs
from bertmt.cli.parameters import RunWords
from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.opening import Registry


def wait(context: typer.Context, runs: RunWords) -> None:
    """Wait until runs have ended; exit code 5 if one failed."""
    database = existing_registry(context)
    wait_until_ended(database, named_runs(database, runs))


def wait_until_ended(database: "Registry", runs: "list[Run]") -> None:
    """Block until all have ended, and tell each change of state.

    Raises:
        RunFailedError: one did not finish.
    """
    from bertmt.cli.runs import HELD_QUEUE
    from bertmt.errors import RunFailedError
    from bertmt.services.lifecycle.hold import queue_is_held
    from bertmt.services.lifecycle.waiting import wait_for
    from bertmt.services.lifecycle.workers import alive_workers

    try:
        if any(run.state == "held" for run in runs):
            diagnostics.note("One of them is held: `bertmt release` lets it start.")
        if any(run.state == "queued" for run in runs):
            if queue_is_held(database):
                diagnostics.note(HELD_QUEUE)
            elif not alive_workers(database):
                diagnostics.note("No worker is running: type `bertmt worker --drain` in another terminal.")
        ended = wait_for(database, runs, on_change=lambda run: diagnostics.note(f"{run.id} {run.name}: {run.state}"))
    except KeyboardInterrupt:
        diagnostics.note("Stopped waiting; the runs continue.")
        raise
    output.write_lines(_outcome(run) for run in ended)
    unfinished = [run for run in ended if run.state != "finished"]
    if unfinished:
        listed = numbers.named([f"{run.id} ({run.state})" for run in unfinished])
        raise RunFailedError(f"Not finished: {listed}; `bertmt show {unfinished[0].id}` tells why.")


def _outcome(run: "Run") -> str:
    known = {name: run.score(name) for name in (*run.tasks, "overall")}
    scores = ", ".join(f"{name} {numbers.score(value)}" for name, value in known.items() if value is not None)
    return safe_text(f"{run.id}  {run.name}  seed {run.seed}  {run.state}  {run.execution.failure or scores}")
