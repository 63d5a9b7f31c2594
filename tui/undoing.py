"""What was done in this dashboard, and how each is taken back; the last first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bertmt.drawing.numbers import counted
from bertmt.registry.records import Run
from bertmt.services.lifecycle import undo
from bertmt.services.opening import Registry

MOST = 100  # so many are kept


@dataclass(frozen=True)
class Done:
    """One thing that a key did.

    Attributes:
        what: it was, a sentence.
        undo: takes it back; None where that cannot be.
        instead: what to do then, a sentence.
        removed: the runs that it removed.
        undone: what is so once it is taken back, a sentence; "": that `what` is undone says it.
    """

    what: str
    undo: Callable[[Registry], object] | None = None
    instead: str = ""
    removed: Sequence[Run] = ()
    undone: str = ""


def queued(runs: Sequence[Run]) -> Done:
    """That runs were queued, which cancels them while none has started."""
    what = counted(len(runs), "run")
    undone = f"the {what if len(runs) > 1 else 'run'} just queued {'is' if len(runs) == 1 else 'are'} cancelled."
    return Done(f"{what} queued.", lambda database: undo.queueing(database, runs), undone=undone)


def remember(history: list[Done], done: Done) -> None:
    """Keep it as the last; moves and the like, which cannot be taken back, once for a row of them."""
    if not (history and done.undo is None and history[-1].undo is None and history[-1].instead == done.instead):
        history.append(done)
    del history[:-MOST]
