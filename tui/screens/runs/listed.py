"""What the list of runs shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertmt.drawing.styled import Span, line
from bertmt.registry.states import State
from bertmt.services.browse.alarms.rules import Alarm
from bertmt.services.browse.rows import Row
from bertmt.tasks.task import Tasks
from tui.screens.runs.columns import GroupRow, runs_of
from tui.widgets.machine_strip import Surroundings

EMPTY = (
    line(Span("No runs yet.", "title")),
    (),
    line("Queue the paper's baseline on the embedded data, and work it here:"),
    line(Span("  bertmt queue --preset baseline --work", "accent")),
    (),
    line("or press ", Span("n", "mark"), " for the form. ", Span("?", "mark"), " shows every key."),
)
NOTHING_MATCHES = (
    line(Span("No run matches the filter.", "title")),
    (),
    line(Span("Esc", "mark"), " takes it away, ", Span("/", "mark"), " changes it."),
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What one load brings.

    Attributes:
        tasks: of these runs.
        fields: by which they can be filtered.
        total: how many runs there are, whatever the filter leaves.
        scale: the data and the encoder of all that are listed; "" where they differ.
        why_gone: that the chosen baseline is not there any more, in a sentence.
        news: that a baseline took another's place, in a sentence that is told once.
        alarms: of the runs that are running and have some, by id.
        references: keys of the runs that have the look of a baseline.
    """

    lines: list[Row | GroupRow]
    tasks: Tasks
    fields: Mapping[str, str]
    total: int
    counts: dict[State, int]
    surroundings: Surroundings
    scale: str
    why_gone: str
    news: str
    alarms: Mapping[str, Sequence[Alarm]]
    references: frozenset[int]

    @property
    def matching(self) -> int:
        """How many runs the filter leaves; those of an open group stand in two lines."""
        return len({run.key for each in self.lines for run in runs_of(each)})
