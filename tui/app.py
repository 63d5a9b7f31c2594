"""The app: it owns the lanes to the registry, the theme and what a user chose, and leads from screen to screen."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, TypeVar

from rich.console import RenderableType
from textual import events, on, work
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.notifications import SeverityLevel
from textual.screen import Screen

from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError, NotFoundError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.browse.times.axis_names import STEP
from bertmt.services.browse.workload import count_running
from tui.alarm_rules import edit_rules
from tui.bindings import bound, change_keys, key
from tui.dialogs.dialog import Dialog
from tui.dialogs.help import Help, key_help
from tui.dialogs.refused import Refused
from tui.dialogs.registry_problem import RegistryProblem
from tui.dialogs.too_small import TooSmall, has_room
from tui.ending_bell import EndingBell
from tui.host import RegistryChanged
from tui.navigation import Navigation, import_screens
from tui.plain import words
from tui.plain.reading import place_of_cursor
from tui.registry_lane import RegistryLane, Session
from tui.screens.dashboard_screen import DashboardScreen, Loaded
from tui.settings import Settings, read_settings, with_choices, write_settings
from tui.terminal.hang_up import hang_up
from tui.terminal.line_filters import OnlyAscii, SafeText
from tui.terminal.wire import Changes, Wire
from tui.undoing import Done
from tui.widgets.frame import say_focus

T = TypeVar("T")
A = TypeVar("A")
POLL_SECONDS = 0.25
TOAST_SECONDS = 8.0
QUIET_SECONDS = 15.0  # between two changes of what a screen reader reads
AGAIN_SECONDS = 2.0  # within which a second Ctrl+C quits
SHOW_CURSOR = "\x1b[?25h"  # DECTCEM: screen readers follow it


class Dashboard(Navigation):
    """Everything on screen; it is the `Host` of whatever it shows.

    Args:
        registry: its file; it need not exist.
        settings: what the user chose before; written back to `settings_file` when it changes.
        ascii_only: draw with ASCII alone.
        in_words: say in words what is drawn else, for screen readers; also where the settings want it.
        read_only: never write; None finds out.
        first: the first screen, one of `HomeLine.MODES`.
        poll_seconds: between two looks at the registry; 0 looks only when asked, as tests do.
    """

    CSS_PATH = "styles/dashboard.tcss"
    TITLE = "bertmt"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide"), (160, "-huge")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall"), (30, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        key("question_mark", "explain", "help", "Show the keys of this screen.", "app.help", shown=True, display="?"),
        key("t", "next_theme", "theme", "Dark, light, or the terminal's own colours.", "app.theme"),
    ]

    def __init__(
        self,
        *,
        registry: Path,
        settings: Settings | None = None,
        settings_file: Path | None = None,
        ascii_only: bool = False,
        in_words: bool = False,
        read_only: bool | None = None,
        first: str = "runs",
        poll_seconds: float = POLL_SECONDS,
    ):
        self.settings = settings or Settings()
        self.speaks = in_words or self.settings.plain
        words.speak(self.speaks)
        change_keys({})
        super().__init__()
        self.ascii_only = ascii_only
        self.registry = registry
        self.live = RegistryLane(registry, read_only)
        # Comparing, planning and reading data take seconds: they must not hold up what is live.
        self.slow = RegistryLane(registry, read_only)
        self.is_read_only = bool(read_only)
        self.x_axis = STEP
        self.marked: set[str] = set()  # ids of the runs that are marked: one set for every screen
        self.removed_last: list[Run] = []  # by one key; another brings them back
        self.done: list[Done] = []
        self.bell_of_marked = EndingBell()
        self._settings_file = settings_file
        self.running_when_left = 0
        self._noticed = ""  # what the opening of the registry said, which is told once
        self._first = first
        self._remark = ""
        self.poll_seconds = poll_seconds
        self._poll_now = asyncio.Event()
        self._wire = Wire()
        self._safe_filters: tuple[LineFilter, ...] = (
            SafeText(), *((words.OnlyWords(),) if self.speaks else ()), *((OnlyAscii(),) if ascii_only else ())
        )  # fmt: skip
        self._interrupted_at = float("-inf")  # by Ctrl+C, by the monotonic clock
        self._told_at = 0.0  # when the screen was last told of a change, by the monotonic clock
        self._has_news = False
        self.set_class(self.speaks, "plain")
        if self.speaks:  # one thing below the other
            self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow")]
        self.know_themes()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and before them the wall that nothing unsafe passes."""
        own = super().get_line_filters()
        # Greys are no colours of a terminal with few of them; Textual's filter makes black of its default ones.
        if self.no_color and (self.native_ansi_color or self.has_few_colours):
            own = [NoColor() if isinstance(each, Monochrome) else each for each in own]
        return [*self._safe_filters, *own]

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Only what changed goes to the terminal.

        Textual has no public place for this; `tests/tui/terminal/test_wire.py` fails where it has changed.
        """
        if self.speaks:
            self.cursor_position = place_of_cursor(screen, self.cursor_position)
        if isinstance(renderable, (LayoutUpdate, ChopsUpdate)):
            super()._display(screen, Changes(renderable, self._wire))  # type: ignore[arg-type]  # as Textual itself
        else:
            super()._display(screen, renderable)

    def on_mount(self) -> None:
        self.ask_terminal()
        if self._remark:
            self.notify(self._remark, severity="warning")
        if self.speaks and self._driver is not None:
            self._driver.write(SHOW_CURSOR)
        if self._first != self.DEFAULT_MODE:
            self.switch_mode(self._first)
        if self.poll_seconds:
            self.run_worker(self._watch(), group="watch")
            # The terminal is given back as it was, also where the session ends or somebody types `kill`.
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self.exit)
            loop.add_signal_handler(signal.SIGHUP, hang_up, self.exit)

    @on(Loaded)
    @work(exclusive=True, group="imports")
    async def _import_the_rest(self) -> None:
        """The other screens, once the first can be seen."""
        if self.poll_seconds:
            await asyncio.to_thread(import_screens)

    def on_resize(self, event: events.Resize) -> None:
        """Cover everything while there is no room for it."""
        if not has_room(event.size) and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())

    async def on_unmount(self) -> None:
        self.slow.close(wait=False)  # what takes seconds ends after the screen is gone
        await asyncio.to_thread(self.live.close)

    async def ask(self, act: Callable[[Session], T], slow: bool = False, create: bool = False) -> T:
        """What `act` returns, called with a session of the registry on another thread; see `RegistryLane.ask`.

        Args:
            slow: it takes longer than a blink.
        """
        return await (self.slow if slow else self.live).ask(act, create)

    async def ask_person(self, dialog: Dialog[A]) -> A | None:
        """What a dialog is answered with; None where it is left. Only from a worker."""
        return await self.push_screen_wait(dialog)

    async def _watch(self) -> None:
        """Look at the registry again and again, and tell the screen when it changed."""
        while True:
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), self.poll_seconds)
            self._poll_now.clear()

    async def look(self) -> None:
        """Import what children wrote, and tell the screen if anything changed; say why where that cannot be done."""
        try:
            changed, self.is_read_only, self.running_when_left, notice = await self.ask(_poll)
            if notice and notice != self._noticed:
                self._noticed = notice
                self.notify(notice, severity="warning")
            if (dialog := self._problem_dialog) is not None and dialog.is_active:
                dialog.dismiss(None)
                changed = True
            if self._tells(changed):
                self._shown_screen.post_message(RegistryChanged())
                await self.bell_of_marked.listen(self)
        except BertmtError as problem:
            self.show_error(problem)

    def _tells(self, changed: bool) -> bool:
        """Whether the screen is told of a change now. Where a screen reader says what is written anew, progress is told
        from time to time, and what a person did at once."""
        self._has_news |= changed
        if not self._has_news or (self.speaks and self.poll_seconds and monotonic() - self._told_at < QUIET_SECONDS):
            return False
        self._has_news, self._told_at = False, monotonic()
        return True

    def on_descendant_focus(self) -> None:
        if self.speaks:
            self.call_after_refresh(say_focus, self.screen)

    def set_keymap(self, keymap: Mapping[str, str]) -> None:
        """The user's keys; sentences name them, too."""
        change_keys(keymap)
        super().set_keymap(keymap)

    def get_key_display(self, binding: Binding) -> str:
        display = super().get_key_display(binding)
        return words.said_key(display) if self.speaks else display

    def begin_with_remark(self, sentence: str) -> None:
        """Say a sentence at the beginning."""
        self._remark = sentence

    @property
    def farewell(self) -> str:
        """What is said in the terminal when the dashboard is left while something runs."""
        if not self.running_when_left:
            return ""
        runs = counted(self.running_when_left, "run goes", "runs go")
        return f"{runs} on without the dashboard; `bertmt runs` shows their progress."

    def look_again(self) -> None:
        """Look at the registry now."""
        self._told_at = 0.0
        if self.poll_seconds:
            self._poll_now.set()
        else:
            self.run_worker(self.look(), group="watch")

    @property
    def _shown_screen(self) -> Screen[Any]:
        """The screen below any dialog."""
        return next((each for each in reversed(self.screen_stack) if isinstance(each, DashboardScreen)), self.screen)

    def show_error(self, problem: BertmtError) -> None:
        """Say why something could not be done; a registry that cannot be used has its own dialog."""
        is_missing = isinstance(problem, NotFoundError) and not self.registry.exists()
        if is_missing and isinstance(self._shown_screen, DashboardScreen) and self._shown_screen.MAKES_REGISTRY:
            return
        if not (is_missing or isinstance(problem, RegistryError)):
            self.notify(str(problem), severity="error")
        else:
            self._show_problem(RegistryProblem(str(problem), is_missing, is_missing and not self.is_read_only))

    def _show_problem(self, dialog: RegistryProblem) -> None:
        """Once, whatever is above it; another sentence takes the place of the one before."""
        shown = self._problem_dialog
        if shown is not None and shown.sentence != dialog.sentence and shown.is_active:
            shown.dismiss(None)
            shown = None
        if shown is None:
            self.push_screen(dialog, self._answered)

    @property
    def _problem_dialog(self) -> RegistryProblem | None:
        """The dialog about the registry, also where the help or another dialog is above it."""
        return next((each for each in self.screen_stack if isinstance(each, RegistryProblem)), None)

    def _answered(self, answer: str | None) -> None:
        if answer == "new":
            self.push_screen(self.new_run_screen())

    async def attempt(self, doing: Awaitable[T]) -> T | None:
        """What it comes to; None where it is refused, and then a person is told why."""
        try:
            return await doing
        except BertmtError as problem:
            self.show_error(problem)
            return None

    async def insist(
        self, act: Callable[[Session], T], typed: str = "", slow: bool = False, create: bool = False
    ) -> T | None:
        """What `act` changes, again as often as a person wants where the registry refuses; None where it is left."""
        while True:
            try:
                return await self.ask(act, slow, create)
            except BertmtError as problem:
                if not isinstance(problem, RegistryError) or not self.registry.exists():
                    self.show_error(problem)
                    return None
                if not await self.ask_person(Refused(str(problem), typed)):
                    return None

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = TOAST_SECONDS,
        markup: bool = False,
    ) -> None:
        """One sentence in a corner for a while; its text safe, and never read as markup."""
        text = safe_text(message, keep_newlines=True)
        super().notify(
            words.said(text) if self.speaks else text, title=title, severity=severity, timeout=timeout, markup=False
        )

    def may_write(self) -> bool:
        """Whether the registry may be changed; says so where not."""
        if self.is_read_only:
            self.notify(f"The registry {self.registry} is read-only here: nothing can be changed.", severity="warning")
        return not self.is_read_only

    def change(self, **choices: object) -> None:
        """Keep a choice of the user's, and what other dashboards kept in the meantime."""
        known = self.settings
        self.settings = with_choices(known, known, choices)
        if self._settings_file is not None:
            try:
                write_settings(self._settings_file, with_choices(read_settings(self._settings_file), known, choices))
            except BertmtError as problem:
                self.show_error(problem)

    def action_help_quit(self) -> None:
        """What Textual has Ctrl+C do: here it says how to quit, and does so when it is pressed again."""
        now = monotonic()
        if now - self._interrupted_at < AGAIN_SECONDS:
            self.exit()
        else:
            self._interrupted_at = now
            self.notify(f"{bound('screen.leave')} quits, and so does Ctrl+C again; runs go on.")

    def action_explain(self) -> None:
        """Show the help of the screen at hand."""
        screen = self.screen
        bindings = list(screen.active_bindings.values())
        shown = {each.binding.key: self.get_key_display(each.binding) for each in bindings}
        subject, guide = getattr(screen, "SUBJECT", ""), getattr(screen, "GUIDE", ())
        self.push_screen(Help(subject or "keys", guide, key_help(bindings, shown)))

    def copy(self, text: str) -> None:
        """Put a text on the clipboard of the terminal (OSC 52), and show it, for terminals that refuse."""
        self.copy_to_clipboard(text)
        self.notify(f"Copied: {text}")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen at hand; what Textual brings would name some a second time, and others that lead
        nowhere here."""
        seen: set[str] = set()
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            if enabled and tooltip and binding.id and binding.id not in seen and not binding.id.startswith("table."):
                seen.add(binding.id)
                title = f"{binding.description[:1].upper()}{binding.description[1:]}  {self.get_key_display(binding)}"

                async def act(action: str = binding.action, namespace: object = node) -> None:
                    await self.run_action(action, namespace)  # type: ignore[arg-type]

                yield SystemCommand(title, tooltip, act)
        for title, sentence, act_now in screen.more_commands() if isinstance(screen, DashboardScreen) else ():
            yield SystemCommand(title, sentence, act_now)
        yield SystemCommand(
            "Alarms", "Show the rules by which a run is said to go wrong, and change them.", self.edit_alarms
        )
        bell = "off" if self.settings.bell else "on"
        yield SystemCommand(f"Bell {bell}", "Toggle the bell for marked runs that end.", self.toggle_bell)

    def edit_alarms(self) -> None:
        """Show the rules of alarms, and change them."""
        if self.may_write():
            self.run_worker(edit_rules(self), group="act")

    def toggle_bell(self) -> None:
        """Ring when a marked run ends, or no longer."""
        self.change(bell=not self.settings.bell)
        self.notify("The bell rings when a marked run ends." if self.settings.bell else "The bell is off.")


def _poll(session: Session) -> tuple[bool, bool, int, str]:
    """Whether anything changed, whether the registry is read-only, how many runs are running, and what a person should
    know of its opening."""
    changed, database = session.watch.poll(), session.database
    return changed, database.read_only, count_running(database), database.notice
