"""How a run is shown wherever one is: the sign of its state, how far it is, a difference in its colour."""

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.run_formatting import asked, progress, seconds_left
from bertmt.services.browse.run_list import Group
from tui.plain.words import in_words

MARK_OF_STATE = {
    State.RUNNING: "●", State.FINISHED: "✓", State.FAILED: "✗", State.QUEUED: "○", State.HELD: "‖",
    State.PAUSED: "◐", State.CANCELLED: "⊘", State.LOST: "?",
}  # fmt: skip
# What a running run was asked for and has not done yet, as `run_formatting.asked` says it.
MARK_OF_REQUEST = {"stopping": Span("◌", "bad"), "pausing": Span("◒", "accent")}
ALARM_SIGN = Span("!", "bad")  # of a running run that breaks a rule of `services/browse/alarms`
STYLE_OF_STATE = {State.RUNNING: "good", State.FAILED: "bad", State.LOST: "bad", State.FINISHED: ""}
BAR_CELLS = 5
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def state_sign(run: Run) -> Span:
    """The state as a sign in its colour; a run that was asked to stop or to pause has another one."""
    word = asked(run)
    if in_words():
        return Span(word or run.state)
    if word is not None:
        return MARK_OF_REQUEST[word]
    return Span(MARK_OF_STATE[run.state], STYLE_OF_STATE.get(run.state, "dim"))


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """A bar of so many cells, filled to an eighth of a cell."""
    eighths = round(max(0.0, min(share, 1.0)) * cells * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(cells, "░")


def running_bar(run: Run, share: float) -> Span:
    """How far a running run is, as a bar and a percentage, and the time left where it is known."""
    told = seconds_left(run)
    left = "" if told is None else short_duration(told)
    return Span(f"{bar(min(share, 0.99))} {progress(run):>4} {left}", "good")


def short_duration(seconds: float | None) -> str:
    """A duration without its spaces: "4m12s"."""
    return numbers.duration(seconds).replace(" ", "")


def difference_span(value: float | None) -> Span:
    """A difference in the colour of its sign, which stands before it too."""
    return Span(numbers.difference(value), "good" if (value or 0) > 0 else "bad" if (value or 0) < 0 else "dim")


def group_name(group: Group) -> str:
    """What all its runs have in common: their preset, else the first one's name; and of how many seeds there are."""
    first = group.rows[0].run
    return safe_text(f"{first.submission.preset or first.name} ×{group.seeds}")
