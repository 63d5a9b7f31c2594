"""What the list of runs shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bertmt.drawing.styled import Span, line
from bertmt.registry.states import State
from bertmt.services.browse.alarms.rules import Alarm
from bertmt.services.browse.listing import first_rows
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_formatting import common_scale
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Tasks
from tui.registry_lane import Session
from tui.screens.runs.columns import GroupRow, runs_of
from tui.widgets.machine_strip import Surroundings, surroundings_of

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

    Of the first rows of many runs only what can be told without the others: no scale, and no alarms yet.

    Attributes:
        tasks: of these runs.
        fields: by which they can be filtered.
        surroundings: None: not looked at yet.
        total: how many runs there are, whatever the filter leaves.
        scale: the data and the encoder of all that are listed; "" where they differ.
        why_gone: that the chosen baseline is not there any more, in a sentence.
        news: that a baseline took another's place, in a sentence that is told once.
        alarms: of the runs that are running and have some, by id.
        references: keys of the runs that have the look of a baseline.
    """

    lines: Sequence[Row | GroupRow]
    tasks: Tasks
    fields: Mapping[str, str]
    total: int
    counts: Mapping[State, int]
    surroundings: Surroundings | None
    scale: str
    why_gone: str
    news: str
    alarms: Mapping[str, Sequence[Alarm]]
    references: frozenset[int]

    @property
    def matching(self) -> int:
        """How many runs the filter leaves; those of an open group stand in two lines."""
        return len({run.key for each in self.lines for run in runs_of(each)})


def first_listed(session: Session) -> Listed | None:
    """On the registry's thread, before all runs are read: the top of the list; None where all are read as soon."""
    found = first_rows(session.database)
    if found is None:
        return None
    return Listed(
        lines=found.rows,
        tasks=tasks_of(row.run for row in found.rows),
        fields=session.runs.fields(),
        total=sum(found.counts.values()),
        counts=found.counts,
        surroundings=None,
        scale="",
        why_gone=found.why_gone,
        news="",
        alarms={},
        references=frozenset(),
    )


def whole_listed(session: Session, filter_text: str, order: str, open_groups: Collection[str] | None) -> Listed:
    """On the registry's thread: all that filter, order and groups leave.

    Args:
        open_groups: the keys of those whose runs are listed; None: the seeds of a recipe have a line each.
    """
    session.runs.refresh()
    lines: list[Row | GroupRow] = []
    if open_groups is None:
        rows = session.runs.rows(filter_text, order)
        lines += rows
        runs = [row.run for row in rows]
    else:
        for group in session.runs.groups(filter_text, order):
            head = GroupRow(group, GroupRow(group, False).key in open_groups)
            lines += [head, *(group.rows if head.is_open else ())]
        runs = [run for each in lines for run in runs_of(each)]
    counts = session.runs.counts()
    return Listed(
        lines=lines,
        tasks=tasks_of(runs),
        fields=session.runs.fields(),
        total=sum(counts.values()),
        counts=counts,
        surroundings=surroundings_of(session),
        scale=common_scale(runs),
        why_gone=session.runs.baselines.why_gone,
        news=session.runs.told_of_baselines(),
        alarms=session.alarms.of(runs),
        references=session.runs.baselines.references,
    )
