"""The queue: what runs, what waits and in which order, and who works it."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from bertmt.drawing.numbers import named
from bertmt.drawing.styled import Line, Span, line
from bertmt.errors import BertmtError
from bertmt.recipe.rules import parse_value
from bertmt.recipe.settings import Role, Setting
from bertmt.registry.records import Run, Worker
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.queue_times import Expected, expected_durations, expected_times
from bertmt.services.browse.run_formatting import common_scale
from bertmt.services.lifecycle import control, reordering, undo
from bertmt.services.lifecycle.hold import hold_queue, queue_is_held, release_queue
from bertmt.services.lifecycle.reordering import HIGHEST_PRIORITY
from bertmt.services.opening import Registry
from bertmt.services.plan.estimates import durations_now, kind_of
from tui.actions.runs import each
from tui.actions.words import the_runs
from tui.bindings import bound, key
from tui.dialogs.prompt import Prompt
from tui.registry_lane import Session
from tui.screens.home_screen import HomeScreen
from tui.screens.queue.columns import (
    COLUMNS,
    WORKER_COLUMNS,
    QueueLine,
    WorkerLine,
    at_hand,
    guarded,
    queue_cell,
    worker_cell,
)
from tui.screens.queue.reading import MOST_TIMED, Judged, Queued, judged, read, rest_of, timed
from tui.screens.queue.workers import WorkerActions, WorkerTable
from tui.undoing import Done, remember
from tui.widgets.form import sentence_lines
from tui.widgets.frame import framed
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.machine_strip import MachineStrip
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

NOTHING = (
    line(Span("Nothing is running or waiting.", "title")),
    (),
    line("Press ", Span("n", "mark"), " for the form of new runs, or type"),
    line(Span("  bertmt queue --preset baseline", "accent")),
)
MOVING = ("queue.later", "queue.sooner", "queue.first", "queue.last")
UNKNOWN = Expected(None, None)
OF_RUNS = {
    "cancel", "pause", "requeue", "from_start", "remove", "tag", "note", "rename", "baseline", "shift", "place",
    "prioritise", "hold", "edit", "copy_id",
}  # fmt: skip
MOST_LINES_AT_HAND, MOST_LINES_OF_GUARD = 2, 2
SHARE_OF_WORKERS, LEAST_WORKERS = 6, 2  # of the lines on screen, one in so many at most; and lines at least
PRIORITY = Setting(
    name="priority", kind="int", role=Role.RUNTIME, help="", default=0, minimum=-HIGHEST_PRIORITY,
    maximum=HIGHEST_PRIORITY,
)  # fmt: skip


class QueueScreen(WorkerActions, HomeScreen):
    """Runs that run or wait, in order, above the workers."""

    MODE = "queue"
    SUBJECT = "the queue"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Running runs come first, then paused ones, then those that wait, in the order in which workers take them: "
        "by priority, then by place. Times are estimated from finished runs and from the workers that are running. "
        "The line below the runs says what the run under the cursor waits for, and what blocks it.",
        "J and K move the run under the cursor; other keys act on the marked runs, or on that one if none is marked.",
        "Tab goes to the workers. A worker is a separate process: it continues when the dashboard is closed. "
        "Stopping it puts its runs back into the queue; draining it stops it once the queue is empty. After three "
        "consecutive crashes a worker starts nothing more until W resets it.",
    )
    DEFAULT_CSS = """
    QueueScreen #held { height: auto; background: $panel; }
    QueueScreen #empty { padding: 1 2; height: 3fr; }
    QueueScreen #queue { height: 3fr; }
    QueueScreen #working { height: auto; }
    QueueScreen #no-worker { height: 1; }
    QueueScreen #at-hand { height: auto; padding: 0 1; }
    QueueScreen #guards { height: auto; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "J",
            "shift(1)",
            "move",
            "Move the run down one place; K: up.",
            "queue.later",
            shown=True,
            display="J/K",
        ),
        key("K", "shift(-1)", "sooner", "Move the run one place up.", "queue.sooner"),
        key("T", "place(True)", "first", "Move the runs to the front of the queue.", "queue.first"),
        key("B", "place(False)", "last", "Move the runs to the end of the queue.", "queue.last"),
        key("P", "prioritise", "priority", "Set the runs' priority; higher ones start first.", "queue.priority"),
        key("r", "requeue", "requeue", "Requeue stopped runs; they resume.", "queue.requeue"),
        key("z", "hold", "hold", "Hold the runs, or release them.", "queue.hold", shown=True, display="z/Z"),
        key("Z", "hold_all", "hold all", "Hold the whole queue, or release it.", "queue.hold_all"),
        key("e", "edit", "edit", "Change the settings of the waiting run.", "queue.edit"),
        key("tab,shift+tab", "other_table", "runs, workers", "Go to the workers, and back to the runs.", "queue.tab"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._queued: Queued | None = None
        self._durations: dict[Judged, float | None] = {}
        self._judged_by = -1  # so many finished runs; more of them judge better

    def compose(self) -> ComposeResult:
        yield HomeLine("queue")
        yield TextLines(lambda width: [line(Span(_held(), "bad"))], id="held", classes="hidden")
        runs: Table[QueueLine] = Table(COLUMNS, queue_cell, lambda row: row.run.id, can_mark=True, id="queue")
        yield framed(runs, "Running, and the queue", first=True)
        yield framed(TextLines(lambda width: NOTHING, id="empty", classes="hidden"), "The queue", first=True)
        yield framed(TextLines(id="at-hand", classes="hidden"), "Run at the cursor")
        workers = WorkerTable(WORKER_COLUMNS, worker_cell, lambda row: row.worker.key, id="workers")
        with framed(Vertical(id="working"), "Workers"):
            yield TextLines(id="guards", classes="hidden")
            yield workers
            yield TextLines(lambda width: [_no_worker()], id="no-worker", classes="hidden")
        yield MachineStrip()
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the workers have the focus, no key does anything to a run."""
        if action in OF_RUNS and self.is_mounted and self.worker_table.has_focus:
            return False
        return super().check_action(action, parameters)

    @property
    def table(self) -> "Table[QueueLine]":
        """The runs."""
        return self.query_one("#queue", Table)

    @property
    def worker_table(self) -> "Table[WorkerLine]":
        """The workers."""
        return self.query_one("#workers", Table)

    def on_mount(self) -> None:
        self.table.focus()

    async def load(self) -> None:
        queued = self._queued = await self.dashboard.ask(read)
        work = queued.surroundings.workload
        scale = common_scale([*queued.running, *queued.stopped, *queued.waiting])
        self.query_one(HomeLine).show_counts(queued.counts, scale)
        self.query_one(MachineStrip).show(queued.surroundings)
        self.query_one("#held").set_class(not work.held, "hidden")
        is_empty = not (queued.running or queued.stopped or queued.waiting)
        self.query_one("#empty").set_class(not is_empty, "hidden")
        self.table.set_class(is_empty, "hidden")
        self.query_one("#no-worker").set_class(bool(work.workers), "hidden")
        self.worker_table.set_class(not work.workers, "hidden")
        most = max(self.size.height // SHARE_OF_WORKERS, LEAST_WORKERS)
        self.worker_table.styles.height = 1 + min(max(len(work.workers), LEAST_WORKERS), most)
        self.worker_table.show([WorkerLine(worker, tuple(ids)) for worker, ids in work.workers])
        self._show_guards([worker for worker, _ in work.workers])
        self.table.marked = self.dashboard.marked
        self._show_runs(queued)
        if queued.finished != self._judged_by:
            self._durations, self._judged_by = {}, queued.finished
        if any(judged(run) not in self._durations for run in timed(queued)):
            self._judge(queued)

    def _show_runs(self, queued: Queued) -> None:
        work, stuck = queued.surroundings.workload, queued.obstacles
        kind = kind_of([slot for worker, _ in work.workers for slot in worker.slots]) if work.workers else ""
        now = durations_now(timed(queued), queued.running, kind)
        durations = {run.key: rest_of(run, now.get(run.key, self._durations.get(judged(run)))) for run in timed(queued)}
        expected = expected_times(queued.waiting[:MOST_TIMED], queued.running, work, durations, stuck)
        rows = [QueueLine(run, 0, Expected(None, durations[run.key])) for run in (*queued.running, *queued.stopped)]
        rows += [
            QueueLine(run, place, expected.get(run.key, UNKNOWN), work.held, stuck.get(run.key))
            for place, run in enumerate(queued.waiting, start=1)
        ]
        self.table.show(rows)
        self._show_at_hand()

    @on(Table.Moved, "#queue")
    def _show_at_hand(self) -> None:
        """All about the run under the cursor; the line is there for all where it is for one, so that nothing jumps."""
        said = at_hand(self.table.current)
        lines = self.query_one("#at-hand", TextLines)
        has_any = said or any(map(at_hand, self.table.rows[:MOST_TIMED]))
        lines.set_class(not has_any or not self.table.display, "hidden")
        lines.show(lambda width: sentence_lines(said, width, MOST_LINES_AT_HAND, "dim"))

    def _show_guards(self, workers: Sequence[Worker]) -> None:
        """Why workers start nothing, and the key that lets them."""
        keys = f"{bound('workers.go_on')} resets it ({bound('queue.tab')} goes to the workers)"
        said = [f"Worker {each.key} is halted until {keys}: {each.guard}" for each in guarded(workers)]
        lines = self.query_one("#guards", TextLines)
        lines.set_class(not said, "hidden")
        lines.show(
            lambda width: [row for each in said for row in sentence_lines(each, width, MOST_LINES_OF_GUARD, "bad")]
        )

    @work(exclusive=True, group="times")
    async def _judge(self, queued: Queued) -> None:
        """How long runs take: their data is read, which may need a second the first time."""
        runs = [run for run in timed(queued) if judged(run) not in self._durations]

        def judge(session: Session) -> dict[int, float | None]:
            session.runs.refresh()
            past = [row.run for row in session.runs.rows("state:finished | state:running")]
            return expected_durations(session.database, runs, past)

        try:
            found = await self.dashboard.ask(judge, slow=True)
        except BertmtError:  # what cannot be judged has no time; the registry's own trouble is told by who looks at it
            return
        self._durations |= {judged(run): found[run.key] for run in runs}
        if self._queued is not None and not self.is_left:
            self._show_runs(self._queued)

    def current_run(self) -> Run | None:
        row = self.table.current
        return row.run if row is not None and self.table.display else None

    def chosen_runs(self) -> list[Run]:
        return [row.run for row in self.table.chosen_rows()] if self.table.display else []

    def _waiting_runs(self) -> list[Run]:
        """The chosen runs that wait; says so where none does."""
        runs = [run for run in self.chosen_runs() if run.state in WAITING]
        if not runs:
            self.dashboard.notify("Only waiting runs, queued or held, can be moved.", severity="warning")
        return runs

    @on(Table.Chosen, "#queue")
    def _chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, QueueLine):
            self.open_run(event.row.run)

    @on(Table.Chosen, "#workers")
    def _worker_chosen(self) -> None:
        self.action_worker_log()

    def worker_at_hand(self) -> Worker | None:
        row = self.worker_table.current if self.worker_table.display else None
        return None if row is None else row.worker

    @work(group="act")
    async def action_shift(self, places: int) -> None:
        run = self.current_run()
        if run is None or run.state not in WAITING:
            self.dashboard.notify("Only waiting runs, queued or held, can be moved.", severity="warning")
        elif self.dashboard.may_write():
            moved = await self.change(lambda database: reordering.shift(database, run, places))
            if moved is not None:
                remember(self.dashboard.done, Done(f"Run {run.id} moved.", None, _moves()))

    @work(group="act")
    async def action_place(self, first: bool) -> None:
        runs = self._waiting_runs()
        if not runs or not self.dashboard.may_write():
            return
        ordered = runs[::-1] if first else runs  # so that they keep their order
        place = each(lambda database, run: reordering.reorder(database, run, first))
        await self._do(ordered, place, "first now" if first else "last now", instead=_moves())

    @work(group="act")
    async def action_prioritise(self) -> None:
        runs = self._waiting_runs()
        if not runs or not self.dashboard.may_write():
            return
        title, hint = f"Priority of {the_runs(runs)}", "a whole number; 0 is normal, higher ones start first"
        now = str(runs[0].queueing.priority)
        text = await self.dashboard.ask_person(Prompt(title, now, hint, check=_priority_problem))
        if text is not None and text.strip():
            priority = int(text)
            await self._do(
                runs,
                each(lambda database, run: reordering.prioritise(database, run, priority)),
                f"given priority {priority}",
                undo.priority,
            )

    @work(group="act")
    async def action_hold(self) -> None:
        runs = self._waiting_runs()
        if not runs or not self.dashboard.may_write():
            return
        queued = [run for run in runs if run.state is State.QUEUED]
        if queued:
            await self._do(queued, each(control.hold), "held", undo.hold)
        else:
            await self._do(runs, each(control.release), "released", undo.hold)

    @work(group="act")
    async def action_hold_all(self) -> None:
        if not self.dashboard.may_write():
            return

        def turn(database: Registry) -> bool:
            was_held = queue_is_held(database)
            (release_queue if was_held else hold_queue)(database)
            return was_held

        was_held = await self.change(turn)
        if was_held is not None:
            self.dashboard.notify("The queue is released." if was_held else "The queue is held. Running runs continue.")

    def action_edit(self) -> None:
        run = self.current_run()
        if run is None or run.state not in WAITING:
            self.dashboard.notify(
                f"Only a waiting run can be changed; {bound('runs.new')} copies any other.", severity="warning"
            )
        elif self.dashboard.may_write():
            self.open_screen(self.dashboard.new_run_screen(run, edits=True))

    def action_other_table(self) -> None:
        goes = self.table.has_focus and self.worker_table.display
        (self.worker_table if goes else self.table).focus()


def _held() -> str:
    return f" ‖ The queue is held: nothing starts until {bound('queue.hold_all')} releases it."


def _no_worker() -> Line:
    starts = " starts one here, which continues without the dashboard."
    return line(" No worker is running: ", Span(bound("workers.start"), "mark"), starts)


def _moves() -> str:
    return f"{named([bound(each) for each in MOVING])} move runs."


def _priority_problem(text: str) -> str | None:
    """What is wrong with a priority, a sentence; None where nothing is, or nothing is there."""
    try:
        if text.strip():
            parse_value(PRIORITY, text)
    except ValueError as problem:
        return str(problem)
    return None
