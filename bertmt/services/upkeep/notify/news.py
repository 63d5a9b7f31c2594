"""What to say of runs that ended, in sentences."""

from collections import Counter
from collections.abc import Collection, Sequence

from bertmt.drawing.safe_text import safe_text
from bertmt.errors import NotFoundError
from bertmt.registry.budgets.rows import take_used_up
from bertmt.registry.changes import Ending, take_news
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.services.lifecycle import budgets

MOST_LINES = 5  # a night's hundred runs are one message
MOST_CHARACTERS = 300  # of a line


def what_happened(database: Database, on: Collection[str]) -> str:
    """Lines about all that ended or was used up since this was last asked, of the kinds asked for; "" where there is
    nothing.
    """
    used_up = take_used_up(database)
    endings = take_news(database)
    lines = [line for each in endings if each.state in on and (line := _line(database, each))]
    if len(lines) > MOST_LINES:
        counts = Counter(str(each.state) for each in endings if each.state in on)
        more = ", ".join(f"{count} {state}" for state, count in counts.items())
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more: {more} in all."]
    if "budget used up" in on:
        lines += [safe_text(budgets.sentence(database, *each))[:MOST_CHARACTERS] for each in used_up]
    if endings and "queue empty" in on and not runs_in(database, State.QUEUED, State.RUNNING):
        held = len(runs_in(database, State.HELD))
        lines.append(f"The queue is empty{f' but for {held} held' if held else ''}.")
    return "\n".join(lines)


def _line(database: Database, ending: Ending) -> str:
    """About one run; "" where it has been deleted meanwhile."""
    try:
        run = run_by_key(database, ending.run)
    except NotFoundError:
        return ""
    said = f"{run.id} {run.name} (seed {run.seed}) {_outcome(run, ending)}"
    if run.state is not ending.state:
        said += f"; now it is {run.state}"
    # Names and failures may come from anywhere, and end in other people's programs.
    return safe_text(said)[:MOST_CHARACTERS] + "."


def _outcome(run: Run, ending: Ending) -> str:
    if ending.state is State.FINISHED:
        scores = _scores(run)
        return f"finished: {scores}" if scores else "finished"
    has_failed = ending.state is State.FAILED
    why = ((run.execution.failure if has_failed else "") or ending.reason).rstrip(".")
    return f"{'failed' if has_failed else 'was lost'}{f': {why}' if why else ''}"


def _scores(run: Run) -> str:
    told: Sequence[tuple[str, float | None]] = [
        ("overall", run.scores.overall),
        *((name, run.score(name)) for name in run.tasks),
    ]
    return ", ".join(f"{name} {value:.3f}" for name, value in told if value is not None)
