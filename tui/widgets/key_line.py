"""The last line: the keys of the screen at hand, as many as there is room for, none over another.

One widget: Textual's footer makes one for each key, 10 of them anew whenever the focus moves, a fifth of the time until
the first picture; it scrolls what does not fit, and lays the palette's key over it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from bertmt.drawing.styled import cells
from tui.plain.words import in_words

GAP = 1
RULE = "▏"  # before the palette's key, with a space between the others and it
HELP = "explain"  # the key that shows all others is never left out
PALETTE = "command_palette"


@dataclass(frozen=True)
class ShownKey:
    """A key in the line.

    Attributes:
        sign: how it is written.
        word: what it does.
        sentence: the same at length.
    """

    key: str
    sign: str
    word: str
    action: str
    is_enabled: bool
    sentence: str

    @property
    def width(self) -> int:
        """Cells of the key and its word, and of the gap behind."""
        return cells(self.sign) + 1 + cells(self.word) + GAP


class KeyLine(Widget):
    """Keys and their words, the palette's at the right; a click on one is as good as the key."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"key-line--key", "key-line--word", "key-line--rule"}  # noqa: RUF012 - Textual declares it so
    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; }
    KeyLine .key-line--key { color: $footer-key-foreground; background: $footer-key-background; text-style: bold; }
    KeyLine .key-line--word { color: $footer-description-foreground; background: $footer-description-background; }
    KeyLine .key-line--rule { color: $foreground 20%; }
    """
    _keys: Sequence[ShownKey] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _look(self, screen: Screen[object]) -> None:
        """Which keys act now."""
        if not screen.app.app_focus or not self.is_attached:
            return
        found = tuple(_keys_of(screen))
        if found != self._keys:
            self._keys = found
            self.refresh()

    def _placed(self) -> tuple[list[ShownKey], ShownKey | None]:
        """Those from the left, and the palette's where there is room for all."""
        width = self.size.width
        palette = next((each for each in self._keys if each.action == PALETTE), None)
        others = [each for each in self._keys if each is not palette]
        if sum(each.width for each in self._keys) + GAP + cells(RULE) > width:
            palette = None
        room = width - sum(each.width for each in others if each.action == HELP)
        shown = []
        is_full = False
        for each in others:
            if each.action != HELP:
                room -= each.width
                is_full = is_full or room < 0
            if each.action == HELP or not is_full:
                shown.append(each)
        return shown, palette

    def render_line(self, y: int) -> Strip:
        shown, palette = self._placed()
        base = self.rich_style
        if in_words() and shown:  # a comma behind each but the last
            shown[-1] = replace(shown[-1], word=shown[-1].word.removesuffix(","))
        pieces = [piece for each in shown for piece in (*self._drawn(each), Segment(" " * GAP, base))]
        if palette is not None:
            last = [Segment(RULE, self.get_component_rich_style("key-line--rule")), *self._drawn(palette)]
            room = self.size.width - GAP - sum(piece.cell_length for piece in (*pieces, *last))
            pieces += [Segment(" " * room, base), *last]
        return Strip(pieces).adjust_cell_length(self.size.width, base)

    def _drawn(self, shown: ShownKey) -> tuple[Segment, Segment]:
        dim = Style(dim=True) if not shown.is_enabled else Style()
        key, word = (self.get_component_rich_style(f"key-line--{part}") + dim for part in ("key", "word"))
        return Segment(shown.sign, key), Segment(f" {shown.word}", word)

    def _key_at(self, x: int) -> ShownKey | None:
        shown, palette = self._placed()
        if palette is not None and x >= self.size.width - palette.width:
            return palette
        end = 0
        for each in shown:
            end += each.width
            if x < end:
                return each
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        pointed = self._key_at(event.x)
        self.tooltip = None if pointed is None else pointed.sentence

    def on_mouse_down(self, event: events.MouseDown) -> None:
        clicked = self._key_at(event.x)
        if clicked is not None and clicked.is_enabled:
            self.app.simulate_key(clicked.key)
        elif clicked is not None:
            self.app.bell()


def _keys_of(screen: Screen[object]) -> Iterator[ShownKey]:
    """The keys that are shown, one for each action, and the palette's."""
    seen: set[str] = set()
    for _, binding, is_enabled, sentence in screen.active_bindings.values():
        is_palette = binding.action == PALETTE and screen.app.ENABLE_COMMAND_PALETTE
        if (binding.show or is_palette) and binding.action not in seen:
            seen.add(binding.action)
            said = sentence or binding.tooltip or binding.description
            sign = screen.app.get_key_display(binding)
            comma = "," if in_words() and not is_palette else ""
            yield ShownKey(binding.key, sign, binding.description + comma, binding.action, is_enabled, said)
