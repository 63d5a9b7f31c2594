"""Where a run stands, in one span for the line about it, and what happened to it that a person should know."""

from collections.abc import Sequence

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.registry.records import Run, Transition
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.run_formatting import asked, conditions, doing, job_line, pending, place_of_work
from tui.bindings import bound
from tui.formatting.run_signs import MARK_OF_REQUEST

NOT_EXACT = "not bit-exact"  # in a transition's reason where an attempt went on with something changed


def standing(run: Run, speed: float | None = None) -> Span:
    """What it is at, waits for or was asked for, or why it ended; with the key that does something about it.

    Args:
        speed: steps per second of a running run.
    """
    word, requeue = asked(run), bound("runs.requeue")
    if word is not None:
        after = (
            f"{bound('runs.pause')} resumes it"
            if run.execution.request == "pause"
            else f"{requeue} resumes it afterwards"
        )
        return Span(f"{word}: it writes a checkpoint first; {after}", MARK_OF_REQUEST[word].style)
    if run.state is State.RUNNING:
        if pending(run):
            return Span(f"{pending(run)}; {job_line(run)}", "dim")
        return Span(f"{doing(run, speed)} on {place_of_work(run) or '?'}", "good")
    if run.execution.failure:
        return Span(safe_text(run.execution.failure), "bad")
    if run.state is State.LOST:
        return Span(f"lost: its process died; {requeue} requeues it", "bad")
    if run.state is State.PAUSED:
        return Span(f"paused {_at(run)}; {bound('runs.pause')} resumes it", "accent")
    if run.state is State.CANCELLED and run.progress.checkpoint_step is not None:
        return Span(f"cancelled {_at(run)}; {requeue} resumes it, {bound('runs.from_start')} starts over", "dim")
    said = conditions(run) if run.state in WAITING else ""
    return Span(safe_text(f"{run.state}: {said}" if said else str(run.state)), "dim")


def _at(run: Run) -> str:
    """Where a run that stopped goes on."""
    step = run.progress.checkpoint_step
    return "before its first checkpoint" if step is None else f"at step {numbers.count(step)}"


def resilience_notes(run: Run, transitions: Sequence[Transition] = ()) -> list[str]:
    """What was done so that the run survives, and what it cost; nothing of a run that nothing happened to.

    Args:
        transitions: its history, the first one first.
    """
    words = []
    if run.state is State.RUNNING and run.progress.checkpoint_step is not None:
        words.append(f"newest checkpoint at step {numbers.count(run.progress.checkpoint_step)}")
    if run.queueing.recoveries:
        words.append("lost once, queued again")
    if run.execution.saves_memory:
        words.append("activation checkpointing after out of memory")
    exactness = [
        each.reason for each in transitions if each.state_before == each.state_after and NOT_EXACT in each.reason
    ]
    return [*words, *(safe_text(reason) for reason in exactness[-1:])]
