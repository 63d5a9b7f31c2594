"""A tab about the dev predictions of one epoch: which task, which epoch, and how one goes from one to the other."""

from collections.abc import Mapping
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType

from bertmt.errors import NotFoundError
from bertmt.registry.records import Run
from bertmt.services.analysis.evaluations import NOW, Evaluated, evaluated_tasks
from bertmt.services.analysis.examples import ExampleTable, baseline_examples, examples_of, partial_examples_of
from bertmt.tasks.task import Task
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.run.panes.scrubbing import ScrubPane, moment
from tui.screens.run.widgets.click_line import ClickLine


class EpochPane(ScrubPane):
    """The selected epoch, or the one that was gone to; of a running run, what it predicted last between two epochs.

    Attributes:
        SUBJECT: what it shows, as the first words of a sentence.
        NEEDS: what a task must have for that, as a sentence goes on after "a task with".
    """

    SUBJECT: ClassVar[str] = ""
    NEEDS: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab", "task(1)", "task", "The next task.", "epoch.task", shown=True, display="Tab"),
        key("shift+tab", "task(-1)", "task before", "The previous task.", "epoch.task_before"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.task_name = ""
        self.evaluated: Mapping[str, Evaluated] = {}

    @staticmethod
    def suits(task: Task) -> bool:
        """Whether there is something to show of a task."""
        return True

    @property
    def epoch(self) -> int:
        """The epoch that is shown."""
        return self.scrub.epoch_in(self.evaluated[self.task_name])

    @property
    def moment(self) -> str:
        """Which evaluation is shown, for the title of a frame."""
        return moment(self.evaluated[self.task_name], self.epoch)

    async def load(self, run: Run) -> None:
        self.run = run
        await self.read_and_show(run)

    async def read_and_show(self, run: Run) -> None:
        """Read what is to be seen now of the run, and show it.

        Raises:
            BertmtError: there is nothing to show.
        """
        raise NotImplementedError

    @work(group="epoch", exclusive=True)
    async def show_anew(self) -> None:
        """Show another task, epoch or way to look at it, soon."""
        if self.run is not None:
            await self.dashboard.attempt(self.read_and_show(self.run))

    def look_up(self, session: Session, run: Run) -> Mapping[str, Evaluated]:
        """On the registry's thread: what there is to choose from.

        Raises:
            NotFoundError: nothing; the sentence says why.
        """
        suited = [name for name, task in run.tasks.items() if self.suits(task)]
        if not suited:
            titles = ", ".join(task.title for task in run.tasks.values())
            raise NotFoundError(
                f"{self.SUBJECT} needs a task with {self.NEEDS}, but run {run.id} trains {titles} only."
            )
        return evaluated_tasks(session.database, run, self.SUBJECT, suited)

    def read_task(
        self, session: Session, run: Run, found: Evaluated, known: Mapping[str, ExampleTable]
    ) -> ExampleTable:
        """On the registry's thread: a task's examples at the epoch; what is known already is not read again."""
        epoch, like = self.scrub.epoch_in(found), known.get(found.task)
        if epoch == NOW and found.now is not None:
            return partial_examples_of(session.database, run, found.task, found.now, like)
        return examples_of(session.database, run, found.task, epoch, like)

    def now_shown(self, evaluated: Mapping[str, Evaluated]) -> None:
        """What there is to choose from has been read."""
        self.evaluated = evaluated
        self.task_name = self.task_of(evaluated)

    def task_of(self, evaluated: Mapping[str, Evaluated]) -> str:
        """The chosen task, or the first that there is."""
        return self.task_name if self.task_name in evaluated else next(iter(evaluated))

    def action_epoch(self, step: int) -> None:
        if self.evaluated:
            self.go_to_epoch(self.evaluated[self.task_name].neighbour(self.epoch, step))

    def action_selected_epoch(self) -> None:
        self.scrub.epoch = None
        self.show_anew()
        self.post_message(self.Moved())

    def go_to_epoch(self, epoch: int) -> None:
        """Show an epoch, here and on the other tabs."""
        self.scrub.go_to(epoch, self.evaluated[self.task_name])
        self.show_anew()
        self.post_message(self.Moved())

    def action_task(self, step: int) -> None:
        tasks = list(self.evaluated)
        if len(tasks) > 1:
            self.go_to_task(tasks[(tasks.index(self.task_name) + step) % len(tasks)])

    def go_to_task(self, task: str) -> None:
        """Show a task."""
        self.task_name = task
        self.show_anew()

    @on(ClickLine.Clicked)
    def _clicked(self, event: ClickLine.Clicked) -> None:
        if isinstance(event.hit, int):
            self.go_to_epoch(event.hit)
        elif event.hit in self.evaluated:
            self.go_to_task(str(event.hit))


def baseline_of(session: Session, own: ExampleTable, known: ExampleTable | None) -> ExampleTable:
    """On the registry's thread: the same examples as the run predicted them that `own` is compared with.

    Raises:
        BertmtError: there is no such run, or it has no such predictions.
    """
    session.runs.refresh()
    row = session.runs.row(own.run.id)
    if row is None or row.baseline is None:
        none = "There is no finished baseline of equal scale; b on a finished run makes it the baseline."
        raise NotFoundError(session.runs.baselines.why_gone or none)
    if row.baseline.key == own.run.key:
        raise NotFoundError("This run is the baseline itself; b on another makes that the baseline.")
    return baseline_examples(session.database, own, row.baseline, known)
