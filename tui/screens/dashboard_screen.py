"""What every screen has in common: it loads when it is shown and again when the registry changed, and it has help."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from bertmt.errors import BertmtError
from tui.bindings import key
from tui.host import Host, RegistryChanged, host_of
from tui.plain.words import in_words

REFRESH_SECONDS = 2.0
MOST_SECONDS_UNDRAWN = 0.2  # a registry may be locked, or far away


class Loaded(Message):
    """A screen shows what it is about for the first time."""


class DashboardScreen(Screen[None]):
    """A screen over the registry.

    Attributes:
        SUBJECT: what the help calls it.
        GUIDE: sentences that the help shows above the keys.
        MAKES_REGISTRY: it works without a registry, and makes it.
    """

    SUBJECT: ClassVar[str] = ""
    GUIDE: ClassVar[tuple[str, ...]] = ()
    MAKES_REGISTRY: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "back", "back", "Close what is open: a filter, a screen.", "screen.back"),
        # Also where a text is typed: a field would delete a word with it.
        replace(
            key(
                "ctrl+f",
                "find",
                "find",
                "Find a text in names, notes, failures, sentences and logs of all runs.",
                "screen.find",
            ),
            priority=True,
        ),
        key("q", "leave", "back, quit", "Go back; from the first screen, quit. Runs continue.", "screen.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._is_loading = False
        self._is_stale = False
        self._was_loaded = False
        self._may_draw = False

    @property
    def dashboard(self) -> Host:
        """The app, as far as a screen knows it."""
        return host_of(self)

    @property
    def is_left(self) -> bool:
        """Whether the screen was left while something was awaited: its widgets may be gone."""
        return not (self.app.is_running and self in self.app.screen_stack)

    async def load(self) -> None:
        """Read what the screen shows, and show it."""

    def on_mount(self) -> None:
        # Load, silence and time left change though nothing in the registry does.
        # A screen reader would say every one of those figures again.
        if self.dashboard.poll_seconds and not in_words():
            self.set_interval(REFRESH_SECONDS, self._refresh_if_shown)
            self.set_timer(MOST_SECONDS_UNDRAWN, self.draw)
        else:
            self.draw()

    def draw(self) -> None:
        """There is something to see."""
        if not self._may_draw:
            self._may_draw = True
            self.refresh()

    def _compositor_refresh(self) -> None:
        """Empty panes are not drawn for the moment that reading takes: that would hold up the picture that is wanted.
        Textual has no public place for this."""
        if self._may_draw:
            super()._compositor_refresh()

    def _refresh_if_shown(self) -> None:
        if self.is_current:
            self.reload()

    def on_screen_resume(self) -> None:
        self.reload()

    def on_registry_changed(self, message: RegistryChanged) -> None:
        self.reload()

    def reload(self) -> None:
        """Load soon; while a load is under way, once more after it, however often this is called."""
        if self._is_loading:
            self._is_stale = True
            return
        self._is_loading = True
        # The function: Python warns of a coroutine that never begins, as where the screen is just being left.
        self.run_worker(self._load, group="load")  # type: ignore[arg-type]

    async def _load(self) -> None:
        try:
            while True:
                self._is_stale = False
                try:
                    await self.load()
                except BertmtError as problem:
                    self.dashboard.show_error(problem)
                self.draw()
                if not self._was_loaded:
                    self._was_loaded = True
                    self.post_message(Loaded())
                if not self._is_stale:
                    return
        finally:
            self._is_loading = False

    def open_screen(self, screen: Screen[None]) -> None:
        """Show another screen above this one; not where one is there already, as when Enter was pressed twice."""
        if self.is_active:
            self.app.push_screen(screen)

    def leave_screen(self) -> None:
        """Leave the screen, unless it is one of the first; never what is above it."""
        if self.is_active and len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def more_commands(self) -> Iterable[tuple[str, str, Callable[[], None]]]:
        """What the list of commands has besides the keys: titles, what they do, and who does it."""
        return ()

    def ids_at_hand(self) -> list[str]:
        """Of the runs that a person looks at: the marked ones."""
        return sorted(self.dashboard.marked)

    def action_find(self) -> None:
        """Find a text, first in the runs at hand."""
        self.open_screen(self.dashboard.find_screen(self.ids_at_hand()))

    def action_back(self) -> None:
        """Leave what is open, here the screen."""
        self.leave_screen()

    def action_leave(self) -> None:
        """Back, or quit where there is nothing to go back to."""
        if len(self.app.screen_stack) > 1:
            self.leave_screen()
        elif self.app.current_mode != self.app.DEFAULT_MODE:
            self.app.switch_mode(self.app.DEFAULT_MODE)
        else:
            self.app.exit()
