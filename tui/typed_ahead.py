"""Keys that come faster than screens are made and left: over a slow line, or typed before the dashboard was there.

A key is answered with the screen that is at hand when it is its turn, which may still be being made, and what it began
may come to its end when the screen has been left. Both would find widgets missing.
"""

from collections.abc import Mapping

from textual import events
from textual._context import active_message_pump
from textual.app import App, ScreenStackError
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import WorkerFailed, get_current_worker

from tui.dialogs.palette import Palette


class TypedAhead(App[None]):
    """An app whose actions wait for the screen that they are of, and whose left screens may miss their widgets."""

    async def run_action(
        self,
        action: "str | tuple[str, str, tuple[object, ...]]",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Act once the screen at hand has its widgets; not at all where what was to act is gone by then."""
        screen = self.screen
        await screen._mounted_event.wait()
        if default_namespace is not None and self.is_gone(default_namespace):
            return True
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except KeyError:  # Textual's list of commands pages by lines that it may not have laid out yet
            if not isinstance(screen, CommandPalette):
                raise
            return True

    def on_key(self, event: events.Key) -> None:
        """A letter that was under way when a field took the focus belongs into it: it went to what had it before."""
        field = self.focused if self._screen_stack else None
        if isinstance(field, Input) and event.is_printable and event.character is not None:
            field.insert_text_at_cursor(event.character)
            event.prevent_default()

    def is_gone(self, node: MessagePump) -> bool:
        """Whether a widget belongs to a screen that was left, or the app is being left."""
        if self._exit or not self.is_running:
            return True
        try:
            screen = node if isinstance(node, Screen) else node.screen if isinstance(node, DOMNode) else self.screen
        except (NoScreen, ScreenStackError):
            return True
        return not any(screen in stack for stack in self._screen_stacks.values())

    def action_command_palette(self) -> None:
        """Open the palette; without the id that Textual gives it, since the one before may not be gone yet."""
        if self.use_command_palette and not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette())

    def _handle_exception(self, error: Exception) -> None:
        """That a screen which was left misses its widgets is nobody's fault; all else ends the app, as it should."""
        failed, cause = (get_current_worker().node, error.error) if isinstance(error, WorkerFailed) else (None, error)
        where = failed or active_message_pump.get(self)
        if not (isinstance(cause, (NoMatches, NoScreen, ScreenStackError)) and self.is_gone(where)):
            super()._handle_exception(error)
