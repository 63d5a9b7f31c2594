"""What can be done on the screen at hand: a few sentences, then every key that works there now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import ActiveBinding, BindingType
from textual.dom import DOMNode
from textual.widget import Widget

from bertmt.drawing.facts import wrapped
from bertmt.drawing.styled import Line, Span, line, pad
from tui.bindings import key
from tui.dialogs.dialog import Dialog
from tui.plain.words import in_words, said
from tui.widgets.page import Page

KEY_WIDTH = 14


@dataclass(frozen=True)
class KeyHelp:
    """The keys of one binding, and what they do."""

    keys: tuple[str, ...]
    sentence: str


def key_help(bindings: Sequence[ActiveBinding], shown: "dict[str, str]") -> list[KeyHelp]:
    """Bindings by their sentence, keys of one action together; those that do nothing now are left out.

    What the screen can do comes first, how to move about in it last.

    Args:
        shown: key to how it is written.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for node, binding, enabled, tooltip in sorted(bindings, key=lambda each: _is_movement(each.binding.id)):
        if enabled and tooltip and binding.id:
            found.setdefault((tooltip, f"{_name(node)} {binding.action}"), []).append(shown[binding.key])
    return [KeyHelp(tuple(sorted(set(keys), key=_letters_first)), sentence) for (sentence, _), keys in found.items()]


def _is_movement(binding_id: str | None) -> bool:
    return (binding_id or "").startswith(("table.", "page.")) and binding_id not in ("table.choose", "table.mark")


def _letters_first(written: str) -> tuple[bool, int, str]:
    return (not written.isascii(), len(written), written)


def _name(node: DOMNode) -> str:
    return type(node).__name__


class Help(Dialog[None]):
    """Sentences and keys; scrolls where the screen is small.

    Args:
        subject: what the help is about.
        guide: sentences, our own.
    """

    DEFAULT_CSS = "Help #help { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("question_mark,q", "leave", "close", "Close the help.", "help.close"),
    ]

    def __init__(self, subject: str, guide: Sequence[str], keys: Sequence[KeyHelp]):
        super().__init__()
        self._subject = subject
        self._guide = guide
        self._keys = keys

    def heading(self) -> str:
        return f"Help: {self._subject}"

    def parts(self) -> Sequence[Widget]:
        return [Page(self._lines, id="help")]

    def answers(self) -> list[tuple[str, str]]:
        return [("j k", "scroll"), ("Esc", "close")]

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for sentence in self._guide:
            lines += [line(part) for part in wrapped(said(sentence) if in_words() else sentence, width)]
        lines.append(())
        for each in self._keys:
            for index, part in enumerate(wrapped(each.sentence, width - KEY_WIDTH)):
                name = " ".join(each.keys) if not index else ""
                lines.append(line(Span(pad(name, KEY_WIDTH), "mark"), part))
        return lines
