"""What can be done to runs from any screen that shows some: stop, queue again, compare, tag, copy …

Every action is a service; what cannot be taken back is asked first.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.registry.records import Run
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.baseline import choose_baseline, choose_baseline_again, chosen_baseline
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_formatting import asked
from bertmt.services.lifecycle import bulk, control, removal, undo
from bertmt.services.lifecycle.applicable import applicable
from bertmt.services.lifecycle.undo import Restore
from bertmt.services.opening import Registry
from tui.actions.words import brought_back, instead_of_undoing, listed, name_problem, tag_problem, the_runs
from tui.bindings import bound, key
from tui.dialogs.prompt import Prompt
from tui.dialogs.question import Question
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.undoing import Done, remember
from tui.widgets.tables.table import Table

Verb = Callable[[Registry, Sequence[Run]], Sequence[Run]]


class RunActions(DashboardScreen):
    """A screen with runs to act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("n", "new", "new", "Queue new runs, from a preset or a copy of this run.", "runs.new", shown=True),
        key("x", "cancel", "cancel", "Cancel the marked runs, or this one.", "runs.cancel", shown=True),
        key("p", "pause", "pause", "Pause running runs, or resume paused ones.", "runs.pause", shown=True),
        key("r", "requeue", "requeue", "Requeue stopped runs; they resume.", "runs.requeue", shown=True),
        key("F", "from_start", "from the start", "Requeue stopped runs from the start.", "runs.from_start"),
        key(
            "b",
            "baseline",
            "baseline",
            "Make this run the baseline; again: automatic.",
            "runs.baseline",
        ),
        key("vertical_line", "split", "side by side", "Show two marked runs side by side.", "runs.split", display="|"),
        key("ctrl+t", "try_runs", "try", "Try the marked runs, or this one, on a text.", "runs.try"),
        key("y", "copy_id", "copy id", "Copy the run's id to the clipboard of the terminal.", "runs.copy"),
        key("number_sign", "tag", "tag", "Tag the marked runs, or this one; -tag removes.", "runs.tag", display="#"),
        key("i", "note", "note", "Write a note on this run.", "runs.note"),
        key("N", "rename", "rename", "Rename the marked runs, or this one.", "runs.rename"),
        key("u", "undo", "undo", "Undo what was done last here.", "runs.undo"),
        key("D", "remove", "remove", "Remove the marked runs, or this one; R restores.", "runs.remove"),
        key("R", "restore", "restore", "Restore what was removed last.", "runs.restore"),
    ]

    def chosen_runs(self) -> list[Run]:
        """What actions are about: the marked runs, or the one at hand."""
        return []

    def current_run(self) -> Run | None:
        """The one run at hand."""
        return None

    def ids_at_hand(self) -> list[str]:
        return [run.id for run in self.chosen_runs()]

    async def go_to(self, run: Run) -> None:
        """Put the cursor on a run, where the screen lists it."""
        await self.load()
        for table in self.query(Table).results():
            if table.go_to(run.id):
                return

    def action_new(self) -> None:
        """Open the form for new runs, from a copy of the run at hand where a person wants that."""
        self._open_form(self.current_run())

    def _open_form(self, run: Run | None) -> None:
        if self.dashboard.may_write():
            self.open_screen(self.dashboard.new_run_screen(run))

    @work(group="act")
    async def action_cancel(self) -> None:
        found = applicable("cancel", self.chosen_runs())
        runs = found.runs
        if not runs:
            self.dashboard.notify("Nothing to cancel: the selected runs have ended.", severity="warning")
            return
        running = sum(run.state is State.RUNNING for run in runs)
        resumes = f"{running} running: a checkpoint is written first, and {bound('runs.requeue')} resumes from it."
        more = [*([resumes] if running else []), *found.left_alone]
        if await self._agreed(f"Cancel {the_runs(runs)}?", [*more, *listed(runs)], "cancel"):
            done = "will stop" if running == len(runs) else "cancelled"
            restore = undo.cancelled if all(run.state in WAITING for run in runs) else None
            requeues = instead_of_undoing("runs.requeue", "requeues what was cancelled")
            await self._do(runs, bulk.cancel, done, restore, requeues)

    @work(group="act")
    async def action_pause(self) -> None:
        chosen = self.chosen_runs()
        found = applicable("pause", chosen)
        runs = found.runs
        rest = [run for run in chosen if run.state is State.PAUSED or asked(run) == "pausing"]
        if runs:
            sentence = f"It writes a checkpoint and frees the device; {bound('runs.pause')} resumes it from there."
            sentences = [sentence, *found.left_alone, *listed(runs)]
            if await self._agreed(f"Pause {the_runs(runs)}?", sentences, "pause"):
                resumes = instead_of_undoing("runs.pause", "resumes what was paused")
                await self._do(runs, bulk.pause, "will pause, once its checkpoint is written", instead=resumes)
        elif not rest:
            self.dashboard.notify("Only running runs can be paused, and only paused ones resumed.", severity="warning")
        elif await self._agreed_if_several("Resume", rest):
            await self._do(
                rest, each(control.resume), "resumed", instead=instead_of_undoing("runs.pause", "pauses them again")
            )

    @work(group="act")
    async def action_requeue(self) -> None:
        runs = self._stopped_runs()
        if runs and await self._agreed_if_several("Requeue", runs):
            await self._do(
                runs,
                each(control.requeue),
                "queued again",
                instead=instead_of_undoing("runs.cancel", "cancels what was queued"),
            )

    @work(group="act")
    async def action_from_start(self) -> None:
        runs = self._stopped_runs()
        sentence = "Their checkpoints are deleted now, their measurements when they start."
        if runs and await self._agreed(f"Start {the_runs(runs)} over?", [sentence, *listed(runs)], "start over"):
            await self._do(
                runs,
                bulk.begin_anew,
                "requeued, from the start",
                instead=instead_of_undoing("runs.cancel", "cancels what was queued"),
            )

    def _stopped_runs(self) -> Sequence[Run]:
        """The chosen runs that can be queued again; says so where none can."""
        runs = applicable("requeue", self.chosen_runs()).runs
        if not runs:
            said = f"Only runs that stopped early can be requeued; {bound('runs.new')} copies any run."
            self.dashboard.notify(said, severity="warning")
        return runs

    @work(group="act")
    async def action_baseline(self) -> None:
        run = self.current_run()
        if run is None or not self.dashboard.may_write():
            return

        def toggle(session: Session) -> bool:
            is_chosen = chosen_baseline(session.database) != run.id
            choose_baseline(session.database, run if is_chosen else None)
            return is_chosen

        former = await self.dashboard.attempt(self.dashboard.ask(lambda session: chosen_baseline(session.database)))

        is_chosen = await self.dashboard.insist(toggle)
        if is_chosen is None:
            return
        automatic = "the baseline is chosen automatically again."
        what = f"Every run is now compared with {run.id} ({run.name})." if is_chosen else automatic.capitalize()
        undone = f"every run is compared with {former} again." if former else automatic
        back = Done(what, lambda database: choose_baseline_again(database, former), undone=undone)
        remember(self.dashboard.done, back)
        self.dashboard.notify(what)
        self.dashboard.look_again()

    def open_run(self, run: Run) -> None:
        """Show everything about a run."""
        self.open_screen(self.dashboard.run_screen(run))

    def action_compare(self) -> None:
        """Show the marked runs side by side; one alone, marked or at hand, beside its baseline."""
        runs = self.chosen_runs()
        if len(runs) > 1:
            self.open_comparison(runs)
        elif runs:
            self._compare_with_baseline(runs[0])

    @work(group="act")
    async def _compare_with_baseline(self, run: Run) -> None:
        """Show a run beside its baseline, or say why there is nothing to compare it with."""
        row = await self.dashboard.attempt(self.dashboard.ask(lambda session: _row_of(session, run)))
        if row is not None and row.baseline is not None and not row.is_baseline:
            self.open_comparison([run, row.baseline])
            return
        why = "is the baseline itself" if row is not None and row.is_baseline else "has no baseline"
        key = bound("runs.baseline")
        said = f"Run {run.id} {why}: mark other runs to compare it with, or choose another baseline with {key}."
        self.dashboard.notify(said, severity="warning")

    def open_comparison(self, runs: Sequence[Run]) -> None:
        """Show runs side by side."""
        self.open_screen(self.dashboard.comparison_screen(runs))

    def action_split(self) -> None:
        """Show two runs, the same tab of both."""
        runs = self.chosen_runs()
        if len(runs) == 2:
            self.open_screen(self.dashboard.split_screen(runs))
        else:
            found = counted(len(runs), "run is", "runs are")
            self.dashboard.notify(f"Two marked runs can stand side by side; {found} chosen now.", severity="warning")

    def action_try_runs(self) -> None:
        """Type a text and see what the marked runs, or this one and its baseline, say of it."""
        runs = self.chosen_runs()
        if runs:
            self.open_screen(self.dashboard.try_screen(runs))

    def action_copy_id(self) -> None:
        run = self.current_run()
        if run is not None:
            self.dashboard.copy(run.id)

    @work(group="act")
    async def action_tag(self) -> None:
        runs = self.chosen_runs()
        if not runs or not self.dashboard.may_write():
            return
        text = await self.dashboard.ask_person(
            Prompt(f"Tag {the_runs(runs)}", hint="good, or -good to remove it", check=tag_problem)
        )
        if text:
            word, present = text.removeprefix("-"), not text.startswith("-")
            tag = each(lambda database, run: control.tag(database, run, word, present))
            await self._do(runs, tag, "tagged", undo.tags, typed=text)

    @work(group="act")
    async def action_note(self) -> None:
        run = self.current_run()
        if run is None or not self.dashboard.may_write():
            return
        shown = safe_text(run.annotations.note)
        text = await self.dashboard.ask_person(Prompt(f"Note on {the_runs([run])}", shown))
        if text is not None and text != shown:  # what was made safe must not replace what a person wrote
            note = each(lambda database, run: control.annotate(database, run, text))
            await self._do([run], note, "noted", undo.note, typed=text)

    @work(group="act")
    async def action_remove(self) -> None:
        runs = self.chosen_runs()
        if not runs:
            return
        sentences = [f"{bound('runs.restore')} and `bertmt restore` bring them back until `bertmt gc` deletes them."]
        sentences += await self.dashboard.attempt(self.dashboard.ask(partial(_follows_from_removal, runs))) or []
        is_agreed = await self._agreed(f"Remove {the_runs(runs)}?", [*sentences, *listed(runs)], "remove")
        if is_agreed and await self._do(runs, each(removal.delete), f"removed; {bound('runs.restore')} undoes it"):
            self.dashboard.removed_last = runs
            ids = [run.id for run in runs]
            done = Done(f"{counted(len(runs), 'run')} removed.", lambda each: bulk.restore(each, ids), removed=runs)
            remember(self.dashboard.done, done)

    @work(group="act")
    async def action_restore(self) -> None:
        runs = self.dashboard.removed_last
        if not runs:
            self.dashboard.notify(
                "Nothing was removed in this session; `bertmt restore RUN` brings back other runs.", severity="warning"
            )
        elif self.dashboard.may_write():
            ids = [run.id for run in runs]
            if await self._do(runs, lambda database, _: bulk.restore(database, ids), brought_back(runs)):
                self._forget_removal(runs)

    def _forget_removal(self, runs: Sequence[Run]) -> None:
        """They are back, by whichever key."""
        self.dashboard.done = [each for each in self.dashboard.done if each.removed is not runs]
        if self.dashboard.removed_last is runs:
            self.dashboard.removed_last = []

    @work(group="act")
    async def action_rename(self) -> None:
        runs = self.chosen_runs()
        if not runs or not self.dashboard.may_write():
            return
        shown = safe_text(runs[0].name)
        title = f"Rename {counted(len(runs), 'run')}"
        name = await self.dashboard.ask_person(Prompt(title, shown, sentences=self._out_of_sight(), check=name_problem))
        if name is not None and name != shown:
            rename = each(lambda database, run: control.rename(database, run, name))
            await self._do(runs, rename, f"renamed to {name}", undo.name, typed=name)

    @work(group="act")
    async def action_undo(self) -> None:
        """Take back the last thing; of what cannot be taken back say so, once, and the next is before it."""
        if not self.dashboard.may_write():
            return
        if not self.dashboard.done:
            self.dashboard.notify("Nothing was done here that can be undone.", severity="warning")
            return
        done = self.dashboard.done.pop()
        if done.undo is None:
            self.dashboard.notify(f"Cannot be undone: {done.what} {done.instead}", severity="warning")
            return
        take_back = done.undo
        if await self.dashboard.insist(lambda session: (take_back(session.database),)):
            if done.removed:
                self._forget_removal(done.removed)
            self.dashboard.notify(f"Undone: {done.undone or done.what}")
            self.dashboard.look_again()

    async def _agreed(self, title: str, sentences: Sequence[str], yes: str) -> bool:
        """Whether the registry may be written and a person says yes."""
        if not self.dashboard.may_write():
            return False
        is_agreed = await self.dashboard.ask_person(Question(title, [*sentences, *self._out_of_sight()], yes))
        return bool(is_agreed)

    async def _agreed_if_several(self, verb: str, runs: Sequence[Run]) -> bool:
        """As `_agreed`; what can be taken back is asked only where marks may be more than a person has in mind."""
        if len(runs) == 1:
            return self.dashboard.may_write()
        left = len(self.chosen_runs()) - len(runs)
        more = [f"{counted(left, 'other')} of those marked stay as they are."] if left else []
        return await self._agreed(f"{verb} {counted(len(runs), 'run')}?", [*more, *listed(runs)], verb.lower())

    def _out_of_sight(self) -> list[str]:
        """That marked runs which the screen does not list are left alone; nothing where all are listed."""
        tables = [each for each in self.query(Table).results() if each.marked is self.dashboard.marked]
        hidden = len(self.dashboard.marked.difference(*(each.marking.keys(each.rows) for each in tables)))
        if not tables or not hidden:
            return []
        return [f"{counted(hidden, 'marked run is', 'marked runs are')} not listed here, and left alone."]

    async def _do(
        self,
        runs: Sequence[Run],
        act: Verb,
        done: str,
        restore: Restore | None = None,
        instead: str = "",
        typed: str = "",
    ) -> bool:
        """Act on all of the runs, or on none where one refuses, which is said; whether it was done.

        Args:
            restore: takes a run back to what it was.
            instead: what to do where nothing does, a sentence.
            typed: what would be lost where the registry refuses.
        """

        def do(session: Session) -> tuple[Mapping[int, Run], Sequence[Run]]:
            before = undo.as_they_are(session.database, runs)
            return before, act(session.database, runs)

        found = await self.dashboard.insist(do, typed)
        if found is None:
            return False
        before, acted = found
        what = f"{counted(len(acted), 'run')} {done}."
        if restore is not None:
            take_back = partial(undo.undo, before=before, after=acted, restore=restore)
            remember(self.dashboard.done, Done(what, take_back))
        elif instead:
            remember(self.dashboard.done, Done(what, None, instead))
        self.dashboard.notify(what)
        self.dashboard.look_again()
        return True


def _row_of(session: Session, run: Run) -> Row | None:
    """On the registry's thread: the run as it is listed, with its baseline; None where it is gone."""
    session.runs.refresh()
    return session.runs.row(run.id)


def _follows_from_removal(runs: Sequence[Run], session: Session) -> list[str]:
    """On the registry's thread: what it would mean for other runs."""
    return removal.consequences(runs, removal.dependents(session.database), chosen_baseline(session.database))


def each(verb: Callable[[Registry, Run], Run]) -> Verb:
    """A verb of one run as one of several: all of them or none."""
    return lambda database, runs: bulk.for_all(database, runs, verb)
