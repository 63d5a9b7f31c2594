"""How one field of a recipe is declared: its default, its role, its bounds, one line of help.

The declarations are read by the parser, the validator, the documentation and the forms of the front ends, so
that a new field is written in one place.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["bool", "int", "float", "str", "list"]


class Role(StrEnum):
    """What a field says about a run."""

    TOGGLE = "toggle"  # part of the method: two runs of one preset agree on all of these
    SCALE = "scale"  # encoder, data, budget: printed with every figure; runs of equal scale are comparable
    RUNTIME = "runtime"  # seed and how the run is watched: does not make two runs incomparable
    RESILIENCE = "resilience"  # how the run survives: changes no result, so recipes that differ in it alone are equal


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The declaration of one recipe field; bounds are inclusive."""

    name: str
    kind: Kind
    role: Role
    help: str
    default: Any
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()


def setting(
    default: Any,
    kind: Kind,
    role: Role,
    help: str,  # noqa: A002 - the word that every command-line library uses
    **bounds: Any,
) -> Any:
    """A dataclass field that carries its declaration; see `Setting`."""
    declaration = {"kind": kind, "role": role, "help": help, "default": default, **bounds}
    return dataclasses.field(default=default, metadata={"setting": declaration})


def settings_of(recipe_class: type, prefix: str = "") -> dict[str, Setting]:
    """All settings of a recipe class by dotted name, groups (nested dataclasses) included."""
    found: dict[str, Setting] = {}
    for field in dataclasses.fields(recipe_class):
        name = prefix + field.name
        if "setting" in field.metadata:
            found[name] = Setting(name=name, **field.metadata["setting"])
        else:
            found |= settings_of(field.metadata["group"], name + ".")
    return found
