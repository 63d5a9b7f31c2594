"""Training children: stopped politely first, and how they ended."""

import signal
import time

from bertmt.launchers.protocol import KILL, STOP, Child
from bertmt.registry.records import Run
from bertmt.run_folder.event_files import tail_lines
from bertmt.run_folder.layout import RunFolder
from bertmt.services.ingest.reconcile import NO_LAST_WORD

# Writing a checkpoint of a large model to a slow disk takes most of it.
STOP_GRACE_SECONDS = 60.0
# Another process holds the run's lock, or the attempt is over: see `bertmt/training/__main__.py`.
BUSY_CODE = 4
# It failed and could not write its last event, nor perhaps its log.
CANNOT_WRITE_CODE = 5
# Its folder was moved, or became another's: its run is lost, and goes on from a checkpoint.
DISPLACED_CODE = 6


class Stopping:
    """Asks a child to stop: SIGTERM at first, SIGKILL once the grace time is over; safe to call again and again."""

    def __init__(self) -> None:
        self._asked_at: float | None = None

    def ask(self, child: Child) -> None:
        """Ask once more."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            child.signal(STOP)
        elif time.monotonic() - self._asked_at > STOP_GRACE_SECONDS:
            child.signal(KILL)

    def obeyed(self, child: Child) -> str | None:
        """The signal by which a child died as it was asked to, before it could catch it; None: it died otherwise."""
        asked = self._asked_at is not None and child.exit_code() == -signal.SIGTERM
        return signal.SIGTERM.name if asked else None


def how_it_ended(child: Child) -> str:
    """The end of a child, for people."""
    code = child.exit_code()
    if code is None:
        return NO_LAST_WORD
    if code < 0:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    if code == CANNOT_WRITE_CODE:
        return "it could not write its events: the disk of its run folder is full, or fails"
    if code == DISPLACED_CODE:
        return "its folder was moved or replaced while it worked there"
    return f"ended with exit code {code}"


def has_stepped(run: Run) -> bool:
    """Whether this attempt has done a step, and so holds the memory that it will need."""
    step, kept = run.progress.step, run.progress.checkpoint_step or 0
    return run.imported.events_attempt == run.attempt and step is not None and step >= kept


def last_line(folder: RunFolder, attempt: int, besides: tuple[str, ...] = ()) -> str | None:
    """What an attempt logged last; None: nothing.

    Args:
        besides: how lines begin that a scheduler wrote; where there are no others, the first of them says it best.
    """
    lines = [line.strip()[:500] for line in tail_lines(folder.log(attempt), 40) if line.strip()]
    own = [line for line in lines if not line.startswith(besides)]
    return own[-1] if own else lines[0] if lines else None
