"""The arms of a comparison as the screen about it lists them, and the look by which each is known there."""

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_uppercase

from bertmt.drawing import numbers
from bertmt.drawing.looks import Look, free_place, look_of
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, line
from bertmt.recipe.marks import toggle_marks
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm, arms_of, runs_to_pair
from bertmt.services.analysis.compare import Comparison, Side, whole_side
from bertmt.services.analysis.comparison_formatting import side_name
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_formatting import begins_anew, run_places
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Tasks
from tui.formatting.scores import FEW, score_head, width_of
from tui.plain.words import in_words
from tui.widgets.tables.columns import WIDE, Column

Looks = Mapping[int, Look]  # by the key of the first run of an arm
UNIT = " unit"  # behind the name of a task: the column of its part in the overall score
_MARK = Column(key="mark", title="", width=1, rank=1, meaning="colour and mark of the arm, everywhere", words=4)
_NAME = Column(
    key="name",
    title="dev scores of",
    width=14,
    rank=2,
    elastic=True,
    is_name=True,
    meaning="run, or recipe and how many seeds",
)
_TOGGLES = Column(
    key="toggles", title="toggles", width=9, rank=99, from_width=WIDE - 20, meaning="toggles of the method that are on"
)
_PLACE = Column(
    key="place", title="", width=7, rank=98, meaning="which arm the others are compared with, or why one is left out"
)


@dataclass(frozen=True)
class ArmRow:
    """An arm in the list.

    Attributes:
        has_scores: else it is left out of what compares scores.
        is_reference: the others are compared with it.
        side: the arm as far as it is compared; all of it until that is known.
    """

    side: Side
    has_scores: bool
    is_reference: bool

    @property
    def arm(self) -> Arm:
        """Its runs."""
        return self.side.arm

    @property
    def key(self) -> int:
        """Stays while the arm's first run does."""
        return self.arm.runs[0].key


@dataclass(frozen=True)
class Sides:
    """The runs of a comparison as they are now, in arms.

    Attributes:
        runs: in an order that never changes; also those that were removed.
        arms: those with scores, the reference first.
        left_out: those without.
        places: of looks, by the key of an arm's first run: those of runs, here and everywhere; an arm of several
            seeds has that of its first, or of the baseline among them.
    """

    runs: tuple[Run, ...] = ()
    arms: tuple[Arm, ...] = ()
    left_out: tuple[Arm, ...] = ()
    places: Mapping[int, int] = field(default_factory=dict)

    @property
    def all_arms(self) -> tuple[Arm, ...]:
        """All of them in the order of the list."""
        return (*self.arms, *self.left_out)

    def looks(self, ascii_only: bool) -> Looks:
        """How each arm is known, by the key of its first run."""
        looks = {key: look_of(place, ascii_only) for key, place in self.places.items()}
        if in_words():  # an arm is A, B, C ...
            return {key: replace(look, mark=_letter(self.places[key])) for key, look in looks.items()}
        return looks

    def rows(self, found: Comparison | None = None) -> list[ArmRow]:
        """The list of arms, those that are left out last.

        Args:
            found: their comparison: its means are those of the seeds that are compared.
        """
        known = {side.arm.keys: side for side in found.sides} if found else {}
        # The runs as they are now, not as they were when they were compared.
        sides = [replace(known.get(arm.keys) or whole_side(arm), arm=arm) for arm in self.arms]
        scored = [ArmRow(side, True, not index) for index, side in enumerate(sides)]
        return [*scored, *(ArmRow(whole_side(arm), False, False) for arm in self.left_out)]

    @property
    def present_runs(self) -> tuple[Run, ...]:
        """The runs of all arms in the order of the list."""
        return tuple(run for arm in self.all_arms for run in arm.runs)

    @property
    def compared(self) -> Hashable:
        """Equal as long as the comparison of scores stays what it is."""
        return tuple(tuple((run.key, run.attempt, run.state, run.scores) for run in arm.runs) for arm in self.arms)


def sides_of(
    rows: Sequence[Row], before: Sides, apart: bool, reference: int | None, references: Container[int] = ()
) -> Sides:
    """Rows of a list in arms.

    Args:
        before: what they were, runs that are gone since among them.
        reference: key of the run whose arm goes first; None leaves that to `arms_of`.
        references: `Baselines.references`.
    """
    now = {row.run.key: row.run for row in rows}
    arms = [Arm(tuple(runs)) for runs in arms_of([row for row in rows if _has_scores(row.run)], apart)]
    arms.sort(key=lambda arm: not any(run.key == reference for run in arm.runs))
    left_out = arms_of([row for row in rows if not _has_scores(row.run)], apart=True)
    runs = tuple(now.get(run.key, run) for run in before.runs) or tuple(sorted(now.values(), key=lambda run: run.key))
    found = Sides(runs, tuple(arms), tuple(Arm(tuple(each)) for each in left_out))
    places = run_places((arm.runs[0] for arm in found.all_arms), references)
    for arm in found.all_arms:
        if any(run.key in references for run in arm.runs[1:]):
            places[arm.runs[0].key] = free_place(0, places.values())
    return replace(found, places=places)


def _letter(place: int) -> str:
    return ascii_uppercase[place % len(ascii_uppercase)]


def _has_scores(run: Run) -> bool:
    return run.scores.selected_epoch is not None and not begins_anew(run)


def columns_of(rows: Sequence[ArmRow], width: int) -> tuple[Column, ...]:
    """The columns of the list: its mark, then what each arm is and scores.

    On a wide screen a name has no more room than it needs, so that its scores stand beside it.
    """
    behind = (_TOGGLES, *_score_columns(tasks_of(run for row in rows for run in row.arm.runs)))
    if width < WIDE:
        return (_MARK, _NAME, *behind, _PLACE)
    longest = max((cells(side_name(row.side)) for row in rows), default=0)
    name = replace(_NAME, width=min(max(longest, _NAME.width), width // 2), elastic=False)
    return (_MARK, name, *behind, replace(_PLACE, elastic=True))


def _score_columns(tasks: Tasks) -> list[Column]:
    """A column per task, behind a correlation that of its part in the overall score, and the overall score."""
    titles: dict[str, str] = {}
    for name, task in tasks.items():
        titles[name] = score_head(task)
        titles |= {name + UNIT: "S"} if task.metric.signed else {}
    titles["overall"] = "overall"
    # Of many tasks, parts in the overall score are the first that there is no room for.
    order = {name: rank for rank, name in enumerate(titles)}
    if len(tasks) > FEW:
        order |= {name: len(titles) * (1 + name.endswith(UNIT)) + rank for name, rank in order.items()}
        order["overall"] = 0
    ranks = {name: 3 + rank for rank, name in enumerate(sorted(order, key=lambda name: order[name]))}
    return [
        Column(key=name, title=title, width=width_of(title), rank=ranks[name], right=True)
        for name, title in titles.items()
    ]


def arm_cell(row: ArmRow, column: Column, looks: Looks) -> Span:
    """The cell of a column for an arm."""
    arm = row.arm
    match column.key:
        case "mark":
            return _mark(arm, looks)
        case "name":
            return Span(
                safe_text(side_name(row.side)), "title" if row.is_reference else "" if row.has_scores else "dim"
            )
        case "toggles":
            return Span(toggle_marks(arm.runs[0].recipe), "accent")
        case "place":
            return Span("first") if row.is_reference else Span("" if row.has_scores else str(arm.runs[0].state), "dim")
        case _:
            return Span(numbers.score(_score(row.side, column.key)) if row.has_scores else numbers.MISSING)


def _score(side: Side, name: str) -> float | None:
    """Of a task, its part in the overall score, or that."""
    score, task = side.scores.get(name.removesuffix(UNIT)), side.arm.runs[0].tasks.get(name.removesuffix(UNIT))
    return task.unit(score) if name.endswith(UNIT) and task is not None and score is not None else score


def _mark(arm: Arm, looks: Looks) -> Span:
    look = looks[arm.runs[0].key]
    return Span(look.mark, look.style)


def mark_line(arm: Arm, looks: Looks) -> Line:
    """The mark of an arm, and a space."""
    return line(_mark(arm, looks), " ")


def runs_to_flip(arms: Sequence[Arm], current: Arm | None) -> tuple[Run, Run] | None:
    """The reference's run and the one of the arm at the cursor, or of the second arm where that is the reference; of
    several seeds the first that both have. None where there is one arm alone."""
    if len(arms) < 2:
        return None
    reference, arm = arms[0], current if current is not None and current in arms[1:] else arms[1]
    return runs_to_pair(reference, arm)


def seeds_of(arms: Sequence[Arm], runs: tuple[Run, Run]) -> tuple[int, int]:
    """How many seeds the arm has that each of two runs is of."""
    by_run = {run.key: len(arm.seeds) for arm in arms for run in arm.runs}
    return by_run[runs[0].key], by_run[runs[1].key]
