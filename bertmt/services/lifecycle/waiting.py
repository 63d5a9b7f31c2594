"""Waiting until runs have ended."""

import time
from collections.abc import Callable, Sequence

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import ENDED
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.budgets import is_stopped

POLL_SECONDS = 0.5


def wait_for(
    database: Database,
    runs: Sequence[Run],
    on_change: Callable[[Run], None] = lambda run: None,
    is_over: Callable[[], bool] = lambda: False,
) -> list[Run]:
    """Block until every run has ended, or is stopped by its budget, and return them as they are then.

    Args:
        on_change: called with a run whose state has changed.
        is_over: asked each round; true ends the wait early.
    """
    states = {run.key: run.state for run in runs}
    while True:
        ingest_running(database)
        current = [run_by_key(database, run.key) for run in runs]
        for run in current:
            if run.state is not states[run.key]:
                states[run.key] = run.state
                on_change(run)
        if all(run.state in ENDED or is_stopped(database, run) for run in current) or is_over():
            return current
        time.sleep(POLL_SECONDS)
