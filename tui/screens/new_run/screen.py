"""The form for new runs, made from the recipe's own settings; also for a run that waits and is to be changed."""

import asyncio
from collections.abc import Hashable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.lifecycle import control
from bertmt.services.plan.embedded import embedded_defaults
from bertmt.services.plan.preset_list import known_presets
from bertmt.services.plan.recipes import DEFAULT_PRESET, open_recipe
from bertmt.services.plan.submit import submit
from tui.actions.runs import RunActions
from tui.actions.workers import offer_worker
from tui.bindings import key
from tui.dialogs.choice import Choice, Option, Switches
from tui.host import Host
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.screens.new_run.auditing import audit_a_task
from tui.screens.new_run.form import CONSTANTS, DONE, SOURCE, NewRunForm
from tui.screens.new_run.matching import matching
from tui.screens.new_run.planning import planned_of
from tui.screens.new_run.preview import Planned, done, format_preview, summary
from tui.undoing import queued, remember
from tui.widgets.fields import FieldKind
from tui.widgets.form import Form, sentence_lines
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.text_lines import TextLines

DEBOUNCE_SECONDS = 0.1  # so that keys in a row plan once
COPY = ("copy",)  # no preset is called by a tuple
SUMMARY_LINES = 2


class NewRunScreen(DashboardScreen):
    """The form, and what it would queue.

    Args:
        run: begin with a copy of it.
        preset_name: begin with that preset.
        edits: change the run, which waits, instead of queueing others.
    """

    SUBJECT = "new runs"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "All settings of a recipe, starting from a preset or a copy of a run; ◆ marks your changes. Enter edits the "
        "line and Enter again accepts it, Esc cancels; a digit starts editing a number. / and letters of a name go to "
        "its line. Ctrl+S queues.",
        "Several seeds (0-4) or a sweep (lora.rank=20,100) make several runs. "
        "The data and other parts of the scale take their defaults from bertmt.toml, which `bertmt init` writes; "
        "where there is neither that nor the paper's encoder, the embedded data and encoder are filled in. ^e looks at "
        "a task's data.",
    )
    MAKES_REGISTRY = True
    DEFAULT_CSS = """
    NewRunScreen #title { height: 1; background: $panel; }
    NewRunScreen #body { height: 1fr; }
    NewRunScreen Form { width: 1fr; }
    NewRunScreen #preview {
        width: 1fr; display: none; padding: 0 1; scrollbar-gutter: stable;
    }
    NewRunScreen.-wide #preview, NewRunScreen.-huge #preview { display: block; width: 44%; }
    NewRunScreen.previewing #preview { display: block; }
    NewRunScreen.-narrow.previewing Form { display: none; }
    NewRunScreen #summary { height: 3; padding: 0 1; border-top: solid $border-blurred; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "queue", "queue", "Queue the runs of this form.", "new.queue", shown=True, display="^s"),
        key("tab,shift+tab", "preview", "preview", "Go to the preview, and back.", "new.preview", shown=True),
        key("ctrl+o", "source", "preset", "Choose another preset.", "new.source", shown=True),
        key("ctrl+y", "toy", "toy data", "Use the embedded data and the tiny encoder.", "new.toy", shown=True),
        key(
            "ctrl+e",
            "audit",
            "audit a task",
            "Look at a task's data: sizes, classes, lengths, repetitions.",
            "new.audit",
        ),
    ]

    def __init__(self, run: Run | None = None, preset_name: str | None = None, edits: bool = False):
        super().__init__()
        name = None if run else preset_name or DEFAULT_PRESET
        self.form = NewRunForm(preset=name, run=run, edits=edits)
        self._copied = run
        self._planned = Planned(self.form)
        self._folded = {CONSTANTS}
        self._is_read = False
        self._queues_next = False
        self._is_queueing = False
        self._stored: list[Run] = []

    def compose(self) -> ComposeResult:
        yield TextLines(self._title_lines, id="title")
        with Horizontal(id="body"):
            yield framed(Form(lambda name, text: self.form.check(name, text), id="form"), "Settings", first=True)
            yield framed(Page(lambda width: format_preview(self._planned, width), id="preview"), "Plan", first=True)
        yield TextLines(self._summary_lines, id="summary")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(Form).table.focus()

    async def load(self) -> None:
        """Read the recipe to start from, once: what is typed must not be lost."""
        if not self._is_read:
            self._is_read = True
            await self._start_from(self.form.preset, self.form.run)

    @property
    def _folder(self) -> Path:
        """Of the registry, beside which a user's own tasks and presets lie."""
        return self.dashboard.registry.parent

    async def _start_from(self, preset_name: str | None, run: Run | None) -> None:
        known = await asyncio.to_thread(known_presets, self._folder)
        try:
            base = await asyncio.to_thread(open_recipe, preset_name or "", run, self._folder)
        except BertmtError as problem:
            self.dashboard.show_error(problem)
            preset_name, run = preset_name if preset_name in known else DEFAULT_PRESET, None
            base = known[preset_name or DEFAULT_PRESET].recipe()
        chosen = known.get(preset_name or "")
        form = self.form.with_source(base, preset_name, run, chosen.summary if chosen else "")
        if run is None:
            form = form.with_values(await asyncio.to_thread(embedded_defaults, form.typed))
        self._change(form)

    def _change(self, form: NewRunForm) -> None:
        if self.is_left:
            return
        self.form = form
        self._show()
        self._plan_soon()

    def _show(self) -> None:
        self.query_one(Form).show(self.form.fields(self._folded))
        self.query_one("#title", TextLines).show(self._title_lines)

    def _title_lines(self, width: int) -> list[Line]:
        run = self.form.run
        if self.form.edits and run:
            said = [Span(" Change ", "title"), Span(safe_text(f"{run.id} ({run.name}), which waits"), "dim")]
        else:
            source = self.form.source()
            said = [Span(" New runs ", "title"), Span(safe_text(f" {source.shown}: {source.meaning}"), "dim")]
        return [cut_line(line(*said), width)]

    def _summary_lines(self, width: int) -> list[Line]:
        text, style = summary(self._planned)
        return sentence_lines(text, width, SUMMARY_LINES, style)

    @work(exclusive=True, group="plan")
    async def _plan_soon(self) -> None:
        await asyncio.sleep(DEBOUNCE_SECONDS)
        self._planned = await planned_of(self.dashboard, self.form)
        if not self.is_left:
            self.query_one("#preview", Page).show(lambda width: format_preview(self._planned, width))
            self.query_one("#summary", TextLines).show(self._summary_lines)

    @on(Form.Entered)
    def _entered(self, event: Form.Entered) -> None:
        self._change(self.form.with_value(event.field, event.text))
        if self._queues_next:
            self._queues_next = False
            self.action_queue()

    @on(Form.Sought)
    def _sought(self, event: Form.Sought) -> None:
        """To a setting with these letters, whose section is unfolded where it is not."""
        found = matching(self.form.fields(), event.letters)
        if found:
            sought = found[event.place % len(found)]
            if sought.section in self._folded:
                self._folded.discard(sought.section)
                self._show()
            self.query_one(Form).table.go_to(sought.key)
        self.query_one(Form).tell_found(len(found) or not event.letters.strip())

    @on(Form.Turned)
    def _turned(self, event: Form.Turned) -> None:
        self._change(self.form.with_next(event.field, event.places))

    @on(Form.Undone)
    def _undone(self, event: Form.Undone) -> None:
        self._change(self.form.without(event.field))

    @on(Form.Opened)
    def _opened(self, event: Form.Opened) -> None:
        if event.field.kind is FieldKind.SECTION:
            self._folded ^= {event.field.key}
            self._show()
        elif event.field.key == SOURCE:
            self.action_source()
        elif event.field.key == DONE:
            self.action_queue()
        else:
            self._choose_several(event.field.key)

    @work(group="act")
    async def _choose_several(self, name: str) -> None:
        known, choices = self.form.base.known, self.form.setting(name).choices
        options = [Option(each, each, f"{known[each].title} {known[each].data_set}".rstrip()) for each in choices]
        chosen = await self.dashboard.ask_person(Switches(name, options, frozenset(self.form.value(name))))
        if chosen:
            self._change(self.form.with_value(name, ",".join(each for each in choices if each in chosen)))
        elif chosen is not None:
            self.dashboard.notify(self.form.check(name, "") or "", severity="warning")

    @work(group="act")
    async def action_source(self) -> None:
        copy = self._copied
        copies = [Option(COPY, f"copy of {copy.id}", f"{copy.name}, seed {copy.seed}")] if copy else []
        known = await asyncio.to_thread(known_presets, self._folder)
        options = [Option(each.name, each.name, each.summary) for each in known.values()]
        chosen: Hashable = await self.dashboard.ask_person(Choice("Start from", [*copies, *options]))
        if chosen == COPY:
            await self._start_from(None, copy)
        elif isinstance(chosen, str):
            await self._start_from(chosen, None)

    @work(group="act")
    async def action_audit(self) -> None:
        await audit_a_task(self, self.form)

    def action_toy(self) -> None:
        self._change(self.form.with_toy())

    def action_preview(self) -> None:
        """To the preview; in a narrow terminal it takes the form's place."""
        page = self.query_one("#preview", Page)
        goes = not page.has_focus
        self.set_class(goes, "previewing")
        self.call_after_refresh((page if goes else self.query_one(Form).table).focus)

    def action_back(self) -> None:
        if self.has_class("previewing"):
            self.action_preview()
        else:
            super().action_back()

    def action_queue(self) -> None:
        form = self.query_one(Form)
        if form.is_typing:
            self._queues_next = form.finish()
        elif not self._is_queueing and self.dashboard.may_write():
            self._is_queueing = True
            # The app's own: what is being stored cannot be called back, so who leaves the form is told what was done.
            self.app.run_worker(self._queue(self.form), group="act")

    async def _queue(self, form: NewRunForm) -> None:
        """Plan again, since the data may have changed; then queue, or say why not."""
        try:
            planned = await planned_of(self.dashboard, form)
            if planned.preview is None:
                self.dashboard.notify("\n".join(planned.problems), severity="error")
                return
            stored = await self.dashboard.insist(lambda each: self._store(each, planned), slow=True, create=True)
            if stored is None:
                return
            self._stored = stored
        except BertmtError as problem:
            self.dashboard.show_error(problem)
            return
        finally:
            self._is_queueing = bool(self._stored)
        self.dashboard.notify(done(self._stored, form.edits))
        if not form.edits:
            remember(self.dashboard.done, queued(self._stored))
        self.dashboard.look_again()
        if self.is_active or self.is_left:
            self._finish()

    def _store(self, session: Session, planned: Planned) -> list[Run]:
        form = planned.form
        if form.edits and form.run is not None:
            return [control.edit(session.database, form.run, form.settings())]
        assert planned.preview is not None
        return submit(session.database, planned.preview.plan)

    def on_screen_resume(self) -> None:
        if self._stored and self.is_active:  # they were stored while a dialog was open above
            self._finish()

    def _finish(self) -> None:
        """Leave the form, which is done, unless a person has left it already."""
        if self.is_active:
            self.app.pop_screen()
        self.app.run_worker(_lead_on(self.dashboard, self._stored[0], self.form.edits), group="act")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A run that is changed keeps what it was made from."""
        return not self.form.edits if action == "source" else True


async def _lead_on(dashboard: Host, first: Run, was_edited: bool) -> None:
    """To the first of the runs where the screen lists it, and to a worker where none is alive."""
    screen = dashboard.screen
    try:
        if isinstance(screen, RunActions):
            await screen.go_to(first)
        if not was_edited:
            await offer_worker(dashboard)
    except BertmtError as problem:
        dashboard.show_error(problem)
