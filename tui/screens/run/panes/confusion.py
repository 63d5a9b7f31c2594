"""Which classes a run mistakes for which: the matrices, and below them the sentences of the cell at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.analysis.confusion import counts_of, most_mistaken
from bertmt.services.analysis.evaluations import Evaluated
from bertmt.services.analysis.example_choice import ordered
from bertmt.services.analysis.examples import ExampleTable, in_cell
from bertmt.tasks.task import Task, Tasks
from tui.bindings import key
from tui.plain.words import in_words
from tui.registry_lane import Session
from tui.screens.run.panes.epoch_pane import EpochPane, baseline_of
from tui.screens.run.panes.scrubbing import moment
from tui.screens.run.widgets.epoch_line import EpochLine
from tui.screens.run.widgets.example_lines import class_name, task_in
from tui.screens.run.widgets.example_list import ExampleList, nothing_here
from tui.screens.run.widgets.heat_map import HeatMap
from tui.widgets.frame import framed, name_frame

SIDE_BY_SIDE = 120  # cells from which on several matrices are shown
# Cells that a matrix beside others needs with its rates, or of two classes without; of many classes all there are.
NARROW, BROAD, MOST_BROAD_CLASSES = 40, 80, 6
LEAST_HEIGHT = 30  # lines from which on a matrix stays while its sentences are read


@dataclass(frozen=True)
class Matrices:
    """What one look brings.

    Attributes:
        tables: by task, those that are shown.
        others: the baseline's, by task, where the difference is wanted and there is one.
        problem: why there is no difference though it is wanted.
    """

    evaluated: Mapping[str, Evaluated]
    tables: Mapping[str, ExampleTable]
    others: Mapping[str, ExampleTable]
    problem: str


class MatrixBox(Vertical):
    """One task's matrix under a line about its epoch."""

    SCOPED_CSS = False  # Textual would have the last rule begin at a box, within which there is no screen
    DEFAULT_CSS = """
    MatrixBox { height: auto; width: 1fr; padding: 0 1; }
    MatrixBox EpochLine { padding: 0; }
    Screen.-high.-wide MatrixBox, Screen.-high.-huge MatrixBox { padding: 0; }
    """

    def __init__(self, task: str):
        super().__init__(id=_box_id(task))
        self.task_name = task
        # Made here, not in `compose`: a key or a click may reach the pane between a box's mounting and composing.
        self.epoch_line, self.heat_map = EpochLine(), HeatMap()
        self._is_empty = True

    def compose(self) -> ComposeResult:
        yield self.epoch_line
        yield self.heat_map

    def show(self, found: Matrices, tabs: Sequence[str]) -> None:
        """Show the task's matrix, or how it differs from the baseline's."""
        own, other = found.tables[self.task_name], found.others.get(self.task_name)
        task = task_in(own)
        name_frame(self, f"Confusion of {task.title}, {moment(found.evaluated[self.task_name], own.place)}")
        self.epoch_line.show_epoch(found.evaluated, own.run.tasks, self.task_name, own.place, tabs)
        whose = "" if other is None else f"{other.run.id} ({safe_text(other.run.name)}), epoch {other.epoch}"
        counts = counts_of(own)
        if self._is_empty:
            self._is_empty = False
            self.heat_map.cell = most_mistaken(counts)
        self.heat_map.show(counts, task.classes, None if other is None else counts_of(other), of_other=whose)


class ConfusionPane(EpochPane):
    """The tasks with classes, one by one or as many beside each other as there is room for."""

    TITLE = "Confusion"
    SUBJECT = "A confusion matrix"
    NEEDS = "classes"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Rows are the true classes, columns the predicted ones, both by number. Below are the sentences of the cell "
        "at the cursor: Enter goes to them, Esc back.",
        "Recall is the share of a true class that was found; precision the share of what was taken for a class that "
        "is. As a difference from the baseline, more on the diagonal is better, more beside it worse.",
    )
    DEFAULT_CSS = """
    ConfusionPane #matrices { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("d", "difference", "change", "Counts minus the baseline's.", "confusion.difference", shown=True),
        key("s", "save", "picture", "Save a picture of the matrix (SVG).", "confusion.save"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: Matrices | None = None
        self._with_difference = False
        self._is_reading = False  # whether the sentences have the place to themselves, where it is small
        self._shown_task = ""
        self._listed: tuple[str, int, int] | None = None

    @staticmethod
    def suits(task: Task) -> bool:
        return bool(task.classes)

    def compose(self) -> ComposeResult:
        yield Horizontal(id="matrices")  # a box is there from the first time that its task is shown
        yield framed(ExampleList())

    def focus_first(self) -> None:
        box = self._box
        if box is not None:
            box.heat_map.focus()

    @property
    def _box(self) -> MatrixBox | None:
        """That of the task at hand, once there is one."""
        return next((each for each in self.query(MatrixBox) if each.task_name == self.task_name), None)

    async def read_and_show(self, run: Run) -> None:
        known, width, compare = self._found, self.size.width, self._with_difference
        found = await self.dashboard.ask(lambda session: self._read(session, run, known, width, compare), slow=True)
        self.now_shown(found.evaluated)
        self._found = found
        await self._make_boxes(found)
        for box in self.query(MatrixBox):
            if box.task_name in found.tables:
                box.show(found, () if len(found.tables) == len(found.evaluated) > 1 else tuple(found.evaluated))
        self._arrange()
        self._list_cell()
        if self._shown_task != self.task_name:
            self._shown_task = self.task_name
            if self.has_keys:
                self.focus_first()
        if found.problem:
            self._with_difference = False
            self.dashboard.notify(found.problem, severity="warning")
        self._fit()  # the width may have become another while this was read: at first there is none

    async def _make_boxes(self, found: Matrices) -> None:
        """A box for each task that is shown first, where the order of the tasks has it."""
        place = self.query_one("#matrices")
        for task in found.tables:
            boxes = {each.task_name: each for each in self.query(MatrixBox)}
            if task not in boxes:
                names = list(found.evaluated)
                later = (boxes[name] for name in names[names.index(task) :] if name in boxes)
                await place.mount(framed(MatrixBox(task), first=True), before=next(later, None))

    def _read(self, session: Session, run: Run, known: Matrices | None, width: int, compare: bool) -> Matrices:
        """On the registry's thread: the matrices that stand beside the one at hand, and those to compare with."""
        evaluated = self.look_up(session, run)
        tasks = beside(list(evaluated), run.tasks, self.task_of(evaluated), width)
        before = known.tables if known else {}
        tables = {task: self.read_task(session, run, evaluated[task], before) for task in tasks}
        if not compare:
            return Matrices(evaluated, tables, {}, "")
        compared = known.others if known else {}
        try:
            others = {task: baseline_of(session, tables[task], compared.get(task)) for task in tasks}
        except BertmtError as problem:
            return Matrices(evaluated, tables, {}, str(problem))
        return Matrices(evaluated, tables, others, "")

    def on_resize(self, event: events.Resize) -> None:
        if self._found is not None:
            self._arrange()
            self._fit()

    def _fit(self) -> None:
        """Read anew where the width has room for other matrices than are shown."""
        if self._found is None or self.run is None:
            return
        names = list(self._found.evaluated)
        if beside(names, self.run.tasks, self.task_name, self.size.width) != list(self._found.tables):
            self.show_anew()

    def _arrange(self) -> None:
        """The matrices beside each other, the one at hand, or none while sentences are read where there is little
        room."""
        tables = self._found.tables if self._found else {}
        is_alone = self._is_reading and self.size.height < LEAST_HEIGHT
        is_wide = self.size.width >= SIDE_BY_SIDE
        for box in self.query(MatrixBox):
            is_at_hand = box.task_name == self.task_name
            box.set_class(box.task_name not in tables or not (is_wide or is_at_hand), "hidden")
            is_last = box.task_name not in list(tables)[:-1]
            box.styles.width = "1fr" if is_last or not is_wide else _needed(task_in(tables[box.task_name]))
            box.heat_map.set_class(is_alone, "hidden")
            box.heat_map.follow(is_at_hand)

    def _list_cell(self) -> None:
        """The sentences of the cell at the cursor."""
        box, table = self._box, self._found.tables.get(self.task_name) if self._found else None
        if box is None or table is None:
            return
        true, predicted = box.heat_map.cell
        indices = ordered(table, in_cell(table, true, predicted), "surest")
        is_other = self._listed != (self.task_name, true, predicted)
        self._listed = (self.task_name, true, predicted)
        noun = "pair" if task_in(table).pair else "sentence"
        names = [class_name(task_in(table), each) for each in (true, predicted)]
        said = f"{numbers.counted(len(indices), noun)}  true {names[0]}  predicted {names[1]}"
        name_frame(self.query_one(ExampleList), said)
        empty = nothing_here(f"No {noun} is in this cell.")
        self.query_one(ExampleList).show(
            table, indices, empty=empty, sorted_by="-confidence", with_classes=False, restart=is_other
        )
        if not len(indices):
            self.leave_open()

    @on(HeatMap.CellMoved)
    def _cell_moved(self) -> None:
        self._list_cell()

    @on(HeatMap.CellChosen)
    def _cell_chosen(self, event: HeatMap.CellChosen) -> None:
        self._list_cell()
        rows = self.query_one(ExampleList).rows
        if len(rows.rows):
            self._is_reading = True
            self._arrange()
            rows.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The matrix that has the focus is the one at hand."""
        box = event.widget.parent
        if isinstance(box, MatrixBox):
            self._is_reading = False
            if box.task_name != self.task_name:
                self.task_name = box.task_name
            self._arrange()
            self._list_cell()

    def go_to_task(self, task: str) -> None:
        """Show a task's matrix, and have the cursor on it."""
        self.task_name = task
        self._is_reading = False
        if self._found is not None and self.size.width >= SIDE_BY_SIDE and task in self._found.tables:
            self.focus_first()
        else:
            self.show_anew()

    def leave_open(self) -> bool:
        """From the sentences back to the matrix."""
        if not self._is_reading:
            return False
        self._is_reading = False
        self._arrange()
        if self.has_keys:
            self.focus_first()
        return True

    def action_difference(self) -> None:
        self._with_difference = not self._with_difference
        self.show_anew()

    def action_save(self) -> None:
        box = self._box
        if box is not None and self.run is not None:
            self.save(box.heat_map, self.run.id, f"{self.task_name}-confusion")


def beside(names: Sequence[str], tasks: Tasks, at_hand: str, width: int) -> list[str]:
    """The tasks whose matrices stand beside each other with the one at hand: pages of as many as a width has room for.

    Args:
        names: all, in their order.
    """
    if width < SIDE_BY_SIDE or in_words():
        return [at_hand]
    page: list[str] = []
    for name in names:
        if sum(_needed(tasks[each]) for each in (*page, name)) > width:
            if at_hand in page:
                break
            page = []
        page.append(name)
    return page


def _needed(task: Task) -> int:
    """Cells that a task's matrix needs beside others."""
    count = len(task.classes)
    return NARROW if count == 2 else BROAD if count <= MOST_BROAD_CLASSES else SIDE_BY_SIDE


def _box_id(task: str) -> str:
    """No name of a task alone: other widgets have ids, too."""
    return f"matrix-of-{task}"
