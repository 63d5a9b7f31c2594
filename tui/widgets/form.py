"""A form of many lines, drawn as a table; the one value that is being typed has an input, in its place.

An input per setting would be seventy widgets, and scroll off a small screen.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from bertmt.drawing import numbers
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut, line
from tui.bindings import key
from tui.widgets.fields import Field, FieldKind
from tui.widgets.tables.columns import Column, Spanning
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

NAME = Column(key="name", title="setting", width=18, rank=1)
VALUE = Column(
    key="value", title="value", width=24, rank=2, least=8
)  # never left for the meaning, which is said below as well
MEANING = Column(key="meaning", title="meaning", width=16, rank=3, elastic=True)
TYPED = (FieldKind.NUMBER, FieldKind.TEXT)
TURNED = (FieldKind.SWITCH, FieldKind.CHOICE)
HELP_LINES = 2


def _cell(field: Field, column: Column) -> Span:
    if field.kind is FieldKind.DONE:
        return Spanning(safe_text(field.name), "mark")
    if field.kind is FieldKind.SECTION:
        said = f"  ({field.shown})" if field.shown else ""
        return Spanning(f"{field.name}{said}", "title")
    if column is NAME:
        return Span(_short(field.name), "dim" if field.idle else "")
    if column is MEANING:
        return Span(safe_text(field.meaning), "dim")
    is_off = field.idle or (field.kind is FieldKind.SWITCH and not field.is_changed and field.text == "false")
    return Span(safe_text(field.shown) or numbers.MISSING, "accent" if field.is_changed else "dim" if is_off else "")


def _short(name: str) -> str:
    """A dotted name that is too long for its column keeps its end: `head.<task>.layers` beside `head.<task>.hidden`."""
    group, dot, leaf = name.rpartition(".")
    if not dot or cells(name) <= NAME.width:
        return name
    return f"{cut(group, NAME.width - cells(leaf) - 1)}.{leaf}"


class ValueInput(Input):
    """Where a value is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "submit", "accept", "Accept what is typed.", "form.accept", shown=True, display="⏎"),
    ]


class SoughtInput(Input):
    """Where letters of a setting are typed, to go to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "submit", "stay here", "Stay at the setting that was found.", "form.stay", True, "⏎"),
    ]


class Form(Vertical):
    """Lines with a cursor; what a person enters is reported to the owner of the form, which then shows it again.

    Args:
        check: what is wrong with a text for a line, a sentence, or None; asked at each key.
    """

    DEFAULT_CSS = f"""
    Form {{ height: 1fr; layers: rows above; padding-right: 1; }}
    Form Table {{ layer: rows; height: 1fr; }}
    Form #typed {{
        layer: above; position: absolute; border: none; height: 1; padding: 0; display: none;
        background: $panel; color: $foreground; margin: 0;
    }}
    Form #typed.open, Form #sought.open {{ display: block; }}
    Form #sought {{ layer: rows; border: none; height: 1; padding: 0 1; display: none; background: $panel; }}
    Form #meaning {{ layer: rows; height: {HELP_LINES}; background: $surface; padding: 0 1; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "space",
            "turn(1)",
            "switch",
            "Switch on or off, or take the next choice.",
            "form.turn",
            shown=True,
            display="␣",
        ),
        key("backspace,delete", "undo", "as it was", "Restore the line's original value.", "form.undo"),
        key("slash", "seek", "find", "Go to a setting by letters of its name.", "form.seek", shown=True, display="/"),
        key("escape", "revert", "leave", "Leave the value as it was.", "form.revert", shown=True, display="Esc"),
        key("escape", "leave_search", "go back", "Go back to where you were.", "form.back", shown=True, display="Esc"),
        key("down", "next_found(1)", "next", "The next setting with these letters.", "form.next_found"),
        key("up", "next_found(-1)", "before", "The setting before with these letters.", "form.found_before"),
        key("down", "take(1)", "take it", "Take what is typed, and go down.", "form.take_down"),
        key("up", "take(-1)", "take it", "Take what is typed, and go up.", "form.take_up"),
    ]

    class Entered(Message):
        """A text was given for a line, and it may stand there."""

        def __init__(self, field: str, text: str):
            super().__init__()
            self.field = field
            self.text = text

    class Turned(Message):
        """A switch was turned, or the next choice was asked for."""

        def __init__(self, field: str, places: int):
            super().__init__()
            self.field = field
            self.places = places

    class Undone(Message):
        """A line shall be as it began."""

        def __init__(self, field: str):
            super().__init__()
            self.field = field

    class Sought(Message):
        """A setting with letters in its name is to be gone to; the owner answers with `tell_found`.

        Attributes:
            place: the how manyth of those, round and round.
        """

        def __init__(self, letters: str, place: int):
            super().__init__()
            self.letters = letters
            self.place = place

    class Opened(Message):
        """Enter was pressed on a line that is not typed: a list, a section, the end of the form."""

        def __init__(self, field: Field):
            super().__init__()
            self.field = field

    def __init__(self, check: Callable[[str, str], str | None], id: str | None = None):  # noqa: A002
        super().__init__(id=id)
        self._check = check
        self._edited: Field | None = None
        self._sought_from: Field | None = None  # where the cursor was when letters began to be typed
        self._place = 0  # of the setting that was found, among those with these letters
        self._found = 1  # how many have them

    def compose(self) -> ComposeResult:
        table: Table[Field] = Table((NAME, VALUE, MEANING), _cell, lambda field: field.key, id="fields")
        table.mark_word = "changed"
        yield table
        yield ValueInput(id="typed", select_on_focus=False)
        yield SoughtInput(id="sought", placeholder="letters of a setting")
        yield TextLines(self._meaning_lines, id="meaning")

    def on_mount(self) -> None:
        self.watch(self.table, "scroll_y", self._place_input)

    @property
    def table(self) -> "Table[Field]":
        """The lines."""
        return self.query_one("#fields", Table)

    @property
    def is_typing(self) -> bool:
        """Whether a value is being typed."""
        return self._edited is not None

    def show(self, fields: Sequence[Field]) -> None:
        """Replace the lines; the cursor stays on its one."""
        self.table.marked = {field.key for field in fields if field.is_changed}
        self.table.show(fields)
        self.query_one("#meaning", TextLines).show(self._meaning_lines)

    def finish(self) -> bool:
        """Take what is being typed; False where it cannot stand there."""
        if self._edited is None:
            return True
        edited, text = self._edited, self.query_one("#typed", Input).value
        if text == safe_text(edited.text):  # nothing was typed: what is not shown as it is stays as it is
            text = edited.text
        if self._check(edited.key, text) is not None:
            return False
        self._close()
        self.post_message(self.Entered(edited.key, text))
        return True

    def _type(self, field: Field, text: str) -> None:
        self._edited = field
        typed = self.query_one("#typed", Input)
        typed.value = safe_text(text)
        typed.add_class("open")
        self._place_input()
        typed.focus()
        typed.cursor_position = len(text)
        self._say_problem()

    @property
    def is_seeking(self) -> bool:
        """Whether letters of a setting are being typed."""
        return self._sought_from is not None

    def action_seek(self) -> None:
        self._sought_from, self._place, self._found = self.table.current, 0, 1
        sought = self.query_one("#sought", Input)
        sought.value = ""
        sought.add_class("open")
        self.screen.set_focus(sought)  # now: what follows in one burst is typed here

    def tell_found(self, count: int) -> None:
        """So many settings have the letters; the cursor is on one of them, if there are any."""
        self._found = count
        self._say_problem()

    def action_next_found(self, places: int) -> None:
        self._place += places
        self.post_message(self.Sought(self.query_one("#sought", Input).value, self._place))

    @on(Input.Changed, "#sought")
    def _sought_more(self) -> None:
        if self.is_seeking:
            self._place = 0
            self.action_next_found(0)

    @on(Input.Submitted, "#sought")
    @on(Input.Blurred, "#sought")
    def _end_search(self) -> None:
        if self.is_seeking:
            self._sought_from, self._found = None, 1
            self.query_one("#sought", Input).remove_class("open")
            self.table.focus()
            self._say_problem()

    def action_leave_search(self) -> None:
        if self._sought_from is not None:
            self.table.go_to(self._sought_from.key)
        self._end_search()

    def _place_input(self) -> None:
        region = self.table.cell_region(VALUE.key) if self._edited else None
        if region is not None:
            typed = self.query_one("#typed", Input)
            typed.styles.offset = (region.x, region.y)
            typed.styles.width = self.table.scrollable_content_region.width - region.x

    def on_resize(self) -> None:
        self.call_after_refresh(self._place_input)

    def _close(self) -> None:
        self._edited = None
        self.query_one("#typed", Input).remove_class("open")
        self.table.focus()
        self._say_problem()

    @on(Input.Changed, "#typed")
    def _typed_more(self) -> None:
        self._say_problem()

    @on(Input.Submitted, "#typed")
    def _submitted(self) -> None:
        self.finish()

    @on(Input.Blurred, "#typed")
    def _left(self) -> None:
        """A click elsewhere, or Tab: what can be taken is, the rest is not."""
        if self._edited is not None and not self.finish():
            self._close()

    @on(Table.Moved, "#fields")
    def _moved(self) -> None:
        self._say_problem()

    def _say_problem(self) -> None:
        self.query_one("#meaning", TextLines).show(self._meaning_lines)

    def _meaning_lines(self, width: int) -> list[Line]:
        """What the line at hand is and may be; while it is typed, what is wrong."""
        if self._edited is not None:
            problem = self._check(self._edited.key, self.query_one("#typed", Input).value)
            if problem is not None:
                return sentence_lines(f"✗ {problem}", width, HELP_LINES, "bad")
        if not self._found:
            return sentence_lines("✗ No setting has these letters.", width, HELP_LINES, "bad")
        field = self._edited or self.table.current
        if field is None:
            return []
        more = [each for each in (field.expected, f"no effect now: {field.idle}" if field.idle else "") if each]
        said = f"{field.meaning.rstrip('.')}{'; ' if more else ''}{'; '.join(more)}."
        name = "" if field.kind in (FieldKind.SECTION, FieldKind.DONE) else f"{field.name}: "
        return sentence_lines(name + said, width, HELP_LINES, "dim")

    @on(Table.Chosen, "#fields")
    def _chosen(self, event: Table.Chosen) -> None:
        event.stop()
        field = event.row
        if not isinstance(field, Field):
            return
        if self._edited is not None:  # a second Enter, ahead of the focus
            self.finish()
        elif field.kind in TYPED:
            self._type(field, field.text)
        elif field.kind in TURNED:
            self.post_message(self.Turned(field.key, 1))
        else:
            self.post_message(self.Opened(field))

    def on_key(self, event: events.Key) -> None:
        """Enter and, on a number, a digit begin to type; left and right go through choices.

        Who types fast is ahead of the focus: what still comes here while a value is being typed belongs to it.
        """
        field = self.table.current
        if self._edited is not None:
            if event.is_printable and event.character:
                event.stop()
                self.query_one("#typed", Input).insert_text_at_cursor(event.character)
        elif field is None:
            return
        elif field.kind in TYPED and event.key == "enter":
            event.stop()
            self._type(field, field.text)
        elif field.kind is FieldKind.NUMBER and event.character and event.character in "0123456789.-":
            event.stop()
            self._type(field, event.character)
        elif field.kind in TURNED and event.key in ("left", "right"):
            event.stop()
            self.post_message(self.Turned(field.key, 1 if event.key == "right" else -1))

    def action_turn(self, places: int) -> None:
        field = self.table.current
        if field is not None and field.kind in TURNED:
            self.post_message(self.Turned(field.key, places))
        elif field is not None and field.kind in (FieldKind.SECTION, FieldKind.OPENS):
            self.post_message(self.Opened(field))

    def action_undo(self) -> None:
        if self.table.current is not None:
            self.post_message(self.Undone(self.table.current.key))

    def action_revert(self) -> None:
        self._close()

    def action_take(self, rows: int) -> None:
        if self.finish():
            self.table.cursor += rows

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Some keys are the form's only while a value is typed, others only while none is."""
        if action in ("revert", "take"):
            return self.is_typing
        if action in ("leave_search", "next_found"):
            return self.is_seeking
        return not (self.is_typing or self.is_seeking) if action in ("turn", "undo", "seek") else True


def sentence_lines(text: str, width: int, most: int, style: str) -> list[Line]:
    """A text, made safe and wrapped, in at most so many lines; what is left out leaves an ellipsis."""
    parts = wrapped(safe_text(text), width)
    if len(parts) > most:
        parts = [*parts[: most - 1], cut(" ".join(parts[most - 1 :]), width)]
    return [line(Span(part, style)) for part in parts]
