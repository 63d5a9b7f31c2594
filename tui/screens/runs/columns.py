"""The columns of the list of runs: their order, their widths, and who goes first on a narrow screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.registry.records import Run, reader_of
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_formatting import (
    asked,
    begins_anew,
    conditions,
    doing,
    kept_share,
    local_time,
    pending,
    progress,
    scale_mark,
)
from bertmt.services.browse.run_list import Group, Spread, newest_of_each_seed
from bertmt.tasks.task import Task, Tasks
from tui.bindings import bound
from tui.formatting.run_signs import MARK_OF_REQUEST, difference_span, group_name, running_bar, state_sign
from tui.formatting.scores import FEW, score_head, width_of
from tui.plain.words import in_words
from tui.screens.runs.beside import COURSE_CELLS, Beside
from tui.widgets.tables.columns import WIDE, Column, Placed, Spanning

BASELINE_SIGN = Span("★", "accent")  # in the place of the sign of its state: it has finished
SPREAD = 10  # cells of a mean ± a standard deviation: with the seeds of a recipe in one line, a score is one


class ScoreColumn(Column):
    """The scores of a task, which is its key, or the overall score."""


# What a run is and scores stands at 80 columns, the rest comes from 120 on; the highest rank goes first.
_BEFORE = (
    Column("state", "", 1, rank=1, field="state", meaning="state, as a sign", words=11),
    Column("id", "id", 6, rank=9, from_width=WIDE, field="id", meaning="id, for commands"),
    Column(
        "name", "name", 10, rank=2, elastic=True, is_name=True, field="name", meaning="name, by default the preset's"
    ),
    Column("seed", "seed", 4, rank=10, right=True, from_width=WIDE, field="seed", meaning="seed"),
    Column("toggles", "toggles", 9, rank=5, meaning="active toggles, a letter each"),
    Column("progress", "progress", 17, rank=6, field="progress", meaning="progress and time left"),
)
_BEHIND = (
    ScoreColumn(
        "overall",
        "overall",
        7,
        rank=4,
        right=True,
        field="overall",
        meaning="mean of its tasks, each in 0…1",
    ),
    Column(
        "difference",
        "Δ",
        8,
        rank=4,
        right=True,
        field="difference",
        meaning="mean difference from the baseline",
        words=16,
    ),
    Column(
        "curve", "curve", COURSE_CELLS, rank=8, from_width=WIDE, meaning="overall score over the epochs", is_drawn=True
    ),
    Column("device", "device", 6, rank=11, from_width=WIDE, field="device", meaning="device"),
    Column("scale", "scale", 12, rank=10, from_width=WIDE, meaning="data and encoder"),
    Column("preset", "preset", 14, rank=12, from_width=WIDE + 16, field="preset", meaning="matching preset"),
    Column("tags", "tags", 12, rank=13, from_width=WIDE + 32, field="tags", meaning="tags"),
    Column("submitted", "submitted", 16, rank=14, from_width=WIDE + 50, field="submitted_at", meaning="when queued"),
    Column("note", "note", 16, rank=15, from_width=WIDE + 66, field="note", meaning="note"),
    Column("kwh", "energy", 8, rank=16, right=True, from_width=WIDE + 84, field="kwh", meaning="energy, if measured"),
)
_RANK_OF_SCORES = 3
# Of many tasks the overall score goes first, and as many tasks follow as there is room for.
_RANKS_OF_MANY = {"overall": 3, "progress": 4, "difference": 5, "toggles": 7}
_RANK_OF_MANY_SCORES = 6
_IN_GROUPS = {"progress": 8, "overall": SPREAD}


def columns_of(tasks: Tasks, grouped: bool = False) -> tuple[Column, ...]:
    """The columns of a list of runs of these tasks.

    Args:
        grouped: the seeds of a recipe stand in one line.
    """
    many = len(tasks) > FEW
    rank = _RANK_OF_MANY_SCORES if many else _RANK_OF_SCORES
    columns: tuple[Column, ...] = (
        *_BEFORE, *(_score_column(name, task, rank, grouped) for name, task in tasks.items()), *_BEHIND,
    )  # fmt: skip
    if many:
        columns = tuple(replace(each, rank=_RANKS_OF_MANY.get(each.key, each.rank)) for each in columns)
    if grouped:
        columns = tuple(each for each in columns if each.key != "curve")
        columns = tuple(replace(each, width=_IN_GROUPS.get(each.key, each.width)) for each in columns)
    return columns


def _score_column(name: str, task: Task, rank: int, grouped: bool) -> ScoreColumn:
    title = score_head(task)
    width = SPREAD if grouped else width_of(title)
    meaning = f"dev {task.metric.title} on {safe_text(task.title)}"
    return ScoreColumn(name, title, width, rank=rank, right=True, field=name, meaning=meaning)


def arranged(columns: Sequence[Column], wanted: Mapping[str, bool], pinned: Sequence[str]) -> list[Column]:
    """The columns that nobody switched off, those that are pinned at the left, behind the sign of a run's state.

    Where there is little room, what is pinned goes before all else, and what was switched on before what nobody named.
    """
    shown = [each for each in columns if wanted.get(each.key, True) or each.key in pinned]
    named = [replace(each, from_width=0, rank=-(each.key in pinned)) if each.key in wanted or each.key in pinned
             else each for each in shown]  # fmt: skip
    places = {name: place for place, name in enumerate(pinned, 1)}
    places["state"] = 0
    return sorted(named, key=lambda each: places.get(each.key, len(places) + 1))


def without_room(columns: Sequence[Column], shown: Sequence[Placed]) -> list[str]:
    """The titles of the scores that a table has no room for; none of few tasks, whose place is known.

    Args:
        columns: that nobody switched off.
    """
    scores = [each for each in columns if isinstance(each, ScoreColumn)]
    placed = {each.column.key for each in shown}
    # One of them is the overall score.
    return [each.title for each in scores if each.key not in placed] if len(scores) > FEW + 1 else []


@dataclass(frozen=True)
class GroupRow:
    """A line that stands for all seeds of a recipe."""

    group: Group
    is_open: bool

    @property
    def key(self) -> str:
        """Stays while the group's oldest run does."""
        return f"group of {min(row.run.key for row in self.group.rows)}"


def key_of(row: Row | GroupRow) -> str:
    """What tells a line of the list from others."""
    return row.key if isinstance(row, GroupRow) else row.run.id


def runs_of(row: Row | GroupRow) -> list[Run]:
    """The runs that a line stands for: of a group, all."""
    return [each.run for each in (row.group.rows if isinstance(row, GroupRow) else (row,))]


def first_key(rows: Sequence[Row | GroupRow]) -> str:
    """Of the line that a person wants to see first: the first running run, else the newest, below the baseline."""
    runs = [row for row in rows if isinstance(row, Row)]
    running = next((row for row in runs if row.run.state is State.RUNNING), None)
    is_below = len(rows) > 1 and rows[0] in runs[:1] and runs[0].is_baseline
    return key_of(running or rows[is_below])


def marks_of(row: Row | GroupRow) -> list[str]:
    """The runs that are marked with a line."""
    return [run.id for run in runs_of(row)]


def cell(row: Row | GroupRow, column: Column, beside: Beside) -> Span:
    """The cell of a column of a line."""
    return _group_cell(row, column) if isinstance(row, GroupRow) else run_cell(row, column, beside)


def run_cell(row: Row, column: Column, beside: Beside) -> Span:
    """The cell of a column for one run."""
    run = row.run
    if isinstance(column, ScoreColumn):
        return Span(numbers.score(None if begins_anew(run) else run.score(column.key)))
    match column.key:
        case "state":
            return BASELINE_SIGN if row.is_baseline else _state(run)
        case "name":
            return Span(safe_text(run.name), "" if run.state in (State.RUNNING, State.FINISHED) else "dim")
        case "toggles":
            return Span(row.toggles, "accent")
        case "progress":
            return _progress(run)
        case "difference":
            return beside.difference(row)
        case "curve":
            return beside.course(run)
        case "submitted":
            return Span(local_time(run.submission.submitted_at)[:16], "dim")
        case "scale":
            return Span(scale_mark(run), "dim")
        case "kwh":
            return Span(numbers.energy(run.progress.kwh), "dim")
        case "tags":
            return Span(safe_text(" ".join(run.annotations.tags)), "dim")
        case _:
            value = reader_of(column.key)(run)
            return Span(safe_text(numbers.MISSING if value is None else str(value)), "dim")


def _state(run: Run) -> Span:
    """A sign; in words, there is room for how far a running run is where the column of that had to go."""
    if in_words() and run.state is State.RUNNING and asked(run) is None:
        return Span(f"{run.state} {progress(run).replace(' ', '')}" if run.share_done is not None else "starting")
    return state_sign(run)


def _progress(run: Run) -> Span:
    """A bar and the time left; or, for a run that needs a word, why, over all that is right of it."""
    if run.state is State.FAILED and run.execution.failure:
        return Spanning(safe_text(run.execution.failure), "bad")
    if run.state is State.LOST:
        return Spanning(f"lost: its process died; {bound('runs.requeue')} requeues it", "bad")
    word = asked(run)
    if word is not None:
        return Span(f"{word} {progress(run)}", MARK_OF_REQUEST[word].style)
    if pending(run):
        return Span(pending(run), "dim")
    if run.state is State.RUNNING and run.share_done is None:
        return Span(doing(run).split(" ")[0], "dim")
    if run.state is State.RUNNING and run.share_done is not None:
        return running_bar(run, run.share_done)
    if run.state is State.FINISHED:
        return Span(f"{_trained_for(run)}", "dim")
    return _rests(run)


def _rests(run: Run) -> Span:
    """The state of a run that is neither running nor done, and what it waits for or how far it came."""
    said = conditions(run) if run.state in WAITING else ""
    if said and begins_anew(run):  # it has no scores that this could cover
        return Spanning(f"{run.state}: {said}", "dim")
    share = kept_share(run)
    return Span(f"{run.state}{'' if share is None else f' {int(100 * share)} %'}", "dim")


def _trained_for(run: Run) -> str:
    seconds = run.progress.finished.seconds.values() if run.progress.finished is not None else ()
    total = sum(filter(None, seconds))
    return f"took {numbers.duration(total)}" if total else "finished"


def _spread(spread: Spread | None) -> str:
    """Mean ± sample standard deviation; the mean alone where there is one run."""
    if spread is None:
        return numbers.MISSING
    deviation = "" if spread.deviation is None else f"±{numbers.score(spread.deviation).removeprefix('0')}"
    return numbers.score(spread.mean) + deviation


def _group_cell(row: GroupRow, column: Column) -> Span:
    group = row.group
    first = group.rows[0]
    if isinstance(column, ScoreColumn):
        return Span(_spread(group.spreads.get(column.key)), "title")
    match column.key:
        case "state":
            return Span("▾" if row.is_open else "▸", "accent")
        case "name":
            return Span(group_name(group), "title")
        case "toggles":
            return Span(first.toggles, "accent")
        case "progress":
            return Span(f"{len(newest_of_each_seed(group.rows))} of {group.seeds}", "dim")
        case "difference":
            found = difference_span(group.difference)
            return Span(f"{found.text}  ", found.style)
        case "scale":
            return Span(scale_mark(first.run), "dim")
        case "preset":
            return Span(safe_text(first.run.submission.preset or numbers.MISSING), "dim")
        case _:
            return Span("")
