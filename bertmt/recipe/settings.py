"""How one field of a recipe is declared: its default, its role, its bounds, one line of help.

The declarations are read by the parser, the validator, the documentation and the forms of the front ends, so
that a new field is written in one place.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

Kind = Literal["bool", "int", "float", "str", "list", "texts"]


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


def settings_of(recipe_class: type, prefix: str = "", tasks: Iterable[str] = ()) -> dict[str, Setting]:
    """All settings of a recipe class by dotted name, groups (nested dataclasses) included.

    Args:
        tasks: by which the groups that each task has are named: `head.sst.layers`.
    """
    found: dict[str, Setting] = {}
    for field in dataclasses.fields(recipe_class):
        name = prefix + field.name
        if "setting" in field.metadata:
            found[name] = Setting(name=name, **field.metadata["setting"])
        elif "group" in field.metadata:
            found |= settings_of(field.metadata["group"], name + ".")
        elif "group_by_task" in field.metadata:
            for task in tasks:
                found |= settings_of(field.metadata["group_by_task"], f"{name}.{task}.")
    return found


class Settings(Mapping[str, Setting]):
    """The settings of a recipe class by dotted name.

    Those of some tasks are listed; those of any other task are found too, as nobody can list the tasks of all users.
    """

    def __init__(self, recipe_class: type, tasks: Iterable[str]):
        self._class = recipe_class
        self._listed = settings_of(recipe_class, tasks=tasks)

    def __getitem__(self, name: str) -> Setting:
        found = self._listed.get(name)
        if found is None and name.count(".") == 2:
            found = _settings_of(self._class, (name.split(".")[1],)).get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def of_tasks(self, tasks: Iterable[str]) -> dict[str, Setting]:
        """All settings, with those of these tasks instead."""
        return dict(_settings_of(self._class, tuple(tasks)))


# Every value of every recipe asks for its setting, and thousands of recipes are of the same tasks.
@lru_cache(256)
def _settings_of(recipe_class: type, tasks: tuple[str, ...]) -> Mapping[str, Setting]:
    return settings_of(recipe_class, tasks=tasks)
