"""Keeping budgets: once one is used up nothing more of it is started, and what runs pauses at a checkpoint."""

from typing import NamedTuple

from bertmt.drawing import numbers
from bertmt.errors import BusyError, NotFoundError, UsageError
from bertmt.registry import edits
from bertmt.registry.budgets import rows
from bertmt.registry.budgets.rows import Budget, Limits, Used
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state
from bertmt.registry.states import Actor, State

OPTIONS = ("--budget-hours", "--budget-kwh", "--max-runs")


def parse_limits(hours: str, kwh: str, most_runs: str) -> Limits | None:
    """A budget as a person types it; None where nothing is.

    Raises:
        UsageError: one of them is no number above 0.
    """
    if not (hours or kwh or most_runs):
        return None
    runs = _number(OPTIONS[2], most_runs)
    if runs is not None and not runs.is_integer():
        raise UsageError(f"--max-runs expects a whole number of runs, but found {most_runs[:40]!r}.")
    found = Limits(
        hours=_number(OPTIONS[0], hours), kwh=_number(OPTIONS[1], kwh), most_runs=None if runs is None else int(runs)
    )
    return found


def _number(option: str, text: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise UsageError(f"{option} expects a number above 0, such as 2 or 0.5, but found {text[:40]!r}.")
    return number


def keep_budgets(database: Database) -> list[str]:
    """Hold, or ask to pause, what must not go on; a sentence for each budget that was used up just now.

    Any number of workers may do so at once, again and again: what a worker that was killed left undone the next does.
    """
    said = []
    for key in rows.budgets_at_work(database):
        found, used = rows.budget(database, key), rows.used_of(database, key)
        end = _used_up(found, used)
        if found.stops_all and not (end and end.stops_all):  # less is used than was: some of its runs were deleted
            end = _End(found.why, True, False)
        if end is None:
            continue
        runs = rows.runs_at_work(database, key)
        waiting = [run for run in runs if run.state is State.QUEUED and (end.stops_all or run.attempt == 0)]
        running = [run for run in runs if run.state is State.RUNNING and run.execution.request is None and end.pauses]
        if not (waiting or running):
            continue
        with database.immediate():
            is_new = rows.use_up(database, key, end.why, end.stops_all)
            for run in waiting:
                _hold(database, run, end.why)
            for run in running:
                edits.ask_to_pause(database, run.key)
        if is_new:
            said.append(sentence(database, key, end.why))
    return said


class _End(NamedTuple):
    """Why a budget is at its end, as the rest of a sentence; whether that stops what was begun and waits, too, and
    whether what runs is paused."""

    why: str
    stops_all: bool
    pauses: bool


def _used_up(found: Budget, used: Used) -> _End | None:
    for limit, spent, what in ((found.hours, used.hours, "h of training"), (found.kwh, used.kwh, "kWh")):
        if limit is not None and spent >= limit:
            return _End(f"its budget of {limit:g} {what} is used up", True, True)
    if found.kwh is not None and used.unmeasured:  # stopping what was begun would save none that anybody knows of
        why = f"its budget is in kWh, and nobody measures the energy of run {used.unmeasured}"
        return _End(why, False, False)
    if found.most_runs is not None and used.begun >= found.most_runs:
        return _End(f"its budget of {numbers.counted(found.most_runs, 'run')} is used up", False, False)
    return None


def _hold(database: Database, run: Run, why: str) -> None:
    """Inside a write transaction; nothing where somebody has taken it, or done something with it, meanwhile."""
    try:
        change_state(database, run.key, State.HELD, Actor.WORKER, why)
    except (BusyError, NotFoundError):
        return


def sentence(database: Database, key: int, why: str) -> str:
    """What people are told of a budget that is used up."""
    runs = rows.runs_of(database, key)
    held = sum(run.state is State.HELD for run in runs)
    paused = sum(run.state is State.PAUSED or run.execution.request == "pause" for run in runs)
    going_on = sum(run.state is State.RUNNING and run.execution.request is None for run in runs)
    words = (("is held", "are held"), ("is paused", "are paused"), ("goes on", "go on"))
    counts = zip((held, paused, going_on), words, strict=True)
    what = [numbers.counted(count, f"run {one}", f"runs {several}") for count, (one, several) in counts if count]
    begun = why.replace("its budget", "A budget", 1)
    return f"{begun}{': ' if what else ''}{numbers.named(what)}."


def told_of_budget(database: Database, run: Run) -> str:
    """What the budget of a run has and what of it is used; "" where it has none."""
    if run.queueing.budget is None:
        return ""
    found, used = rows.budget(database, run.queueing.budget), rows.used_of(database, run.queueing.budget)
    parts = [
        f"{spent:.2f} of {limit:g} {what}"
        for limit, spent, what in ((found.hours, used.hours, "h of training"), (found.kwh, used.kwh, "kWh"))
        if limit is not None
    ]
    if found.most_runs is not None:
        parts.append(f"{used.begun} of {numbers.counted(found.most_runs, 'run')} begun")
    return f"{', '.join(parts)}, with {numbers.counted(used.runs - 1, 'other')}"


def is_stopped(database: Database, run: Run) -> bool:
    """Whether a run neither runs nor waits because the budget that it shares is used up."""
    return run.state in (State.HELD, State.PAUSED) and bool(without_used_up(database, run))


def without_used_up(database: Database, run: Run) -> dict[str, None]:
    """Where a person lets a run go on whose budget would stop it, the column that takes it out of that budget."""
    if run.queueing.budget is None:
        return {}
    found, used = rows.budget(database, run.queueing.budget), rows.used_of(database, run.queueing.budget)
    end = _used_up(found, used)
    is_stopped = end is not None and (end.stops_all or run.attempt == 0)
    return {"budget": None} if found.stops_all or is_stopped else {}
