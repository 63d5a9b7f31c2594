"""One line of a form: its name, its value, and what may be typed there."""

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from bertmt.recipe.settings import Setting
from bertmt.services.browse.run_formatting import value_text


class FieldKind(StrEnum):
    """What Enter and Space do on a line of a form."""

    SWITCH = "switch"  # on or off
    CHOICE = "choice"  # the next of a few words
    NUMBER = "number"  # typed; a digit begins
    TEXT = "text"  # typed
    OPENS = "opens"  # a list to choose from
    SECTION = "section"  # folds the lines below it
    DONE = "done"  # the form is finished


@dataclass(frozen=True)
class Field:
    """One line.

    Attributes:
        shown: its value for people.
        text: its value as typing would give it.
        meaning: one line of help.
        expected: what may be typed; "" where nothing is.
        is_changed: it differs from what the form began with.
        idle: why it has no effect now, "" if it has one.
    """

    key: str
    name: str
    kind: FieldKind
    _: KW_ONLY
    shown: str = ""
    text: str = ""
    meaning: str = ""
    expected: str = ""
    is_changed: bool = False
    idle: str = ""


def kind_of(setting: Setting) -> FieldKind:
    """How a setting is given in a form."""
    if setting.kind == "bool":
        return FieldKind.SWITCH
    if setting.kind == "list":
        return FieldKind.OPENS
    if setting.choices:
        return FieldKind.CHOICE
    return FieldKind.NUMBER if setting.kind in ("int", "float") else FieldKind.TEXT


def field_of(setting: Setting, value: Any, is_changed: bool = False, open_value: Any = None, idle: str = "") -> Field:
    """The line of a setting.

    Args:
        open_value: what it will be where it is left open.
    """
    kind = kind_of(setting)
    if kind is FieldKind.SWITCH:
        shown = "● on" if value else "○ off"
    elif value is None:
        shown = "" if open_value is None else f"{value_text(open_value)} (by default)"
    else:
        shown = value_text(value)
    text = "" if value is None else value_text(value)
    return Field(
        key=setting.name,
        name=setting.name,
        kind=kind,
        shown=shown,
        text=text,
        meaning=setting.help,
        expected=expected(setting),
        is_changed=is_changed,
        idle=idle,
    )


def expected(setting: Setting) -> str:
    """What a setting may be, in a few words."""
    if setting.kind == "bool":
        return "Space switches it"
    if setting.choices:
        return f"{'any' if setting.kind == 'list' else 'one'} of {', '.join(setting.choices)}"
    if setting.kind not in ("int", "float"):
        return ""
    bounds = [
        *([f"above {setting.above:g}"] if setting.above is not None else []),
        *([f"at least {setting.minimum:g}"] if setting.minimum is not None else []),
        *([f"at most {setting.maximum:g}"] if setting.maximum is not None else []),
        *(["or empty"] if setting.optional else []),
    ]
    return ", ".join(["a whole number" if setting.kind == "int" else "a number", *bounds])


def next_choice(setting: Setting, value: Any, places: int = 1) -> str:
    """The text of the value that comes after another, round and round: of a switch, or of a choice."""
    if setting.kind == "bool":
        return value_text(not value)
    here = setting.choices.index(value) if value in setting.choices else -1
    return setting.choices[(here + places) % len(setting.choices)]
