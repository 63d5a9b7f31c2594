"""The last line: the keys of the screen at hand, as many as there is room for, none over another."""

from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from bertmt.drawing.styled import cells
from tui.plain.words import in_words

GAP = 1
RULE = 2  # what stands before the palette's key
HELP = "explain"  # the key that shows all others is never left out


class KeyLine(Footer):
    """Textual's footer scrolls what does not fit, and lays the palette's key over it; this one leaves it out."""

    def __init__(self) -> None:
        super().__init__(compact=True)

    def compose(self) -> ComposeResult:
        keys = [each for each in super().compose() if isinstance(each, FooterKey)]
        width = self.app.size.width
        palette = [each for each in keys if each.has_class("-command-palette")]
        others = [each for each in keys if each not in palette]
        if _length(keys) + RULE > width:
            palette = []
        room = width - _length([each for each in others if each.action == HELP])
        shown = []
        is_full = False
        for each in others:
            if each.action != HELP:
                room -= _length([each])
                is_full = is_full or room < 0
            if each.action == HELP or not is_full:
                shown.append(each)
        if in_words():
            for each in shown[:-1]:
                each.description += ","
        self.styles.grid_size_columns = max(len(shown), 1)
        yield from (*shown, *palette)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.recompose)


def _length(keys: list[FooterKey]) -> int:
    """Cells of these keys with their words, and a gap behind each."""
    comma = int(in_words())
    return sum(cells(each.key_display) + 1 + cells(each.description) + comma + GAP for each in keys)
