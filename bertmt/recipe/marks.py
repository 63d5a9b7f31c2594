"""A recipe's toggles as one letter each, so that a list of runs shows at a glance what is on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.settings import Role

OFF = "·"


def _is_layers(name: str) -> bool:
    return name.startswith("head.") and name.endswith(".layers")


@dataclass(frozen=True)
class ToggleMark:
    """One letter, what it stands for, the settings that it covers, and when it is shown."""

    letter: str
    meaning: str
    settings: tuple[str, ...]
    is_on: Callable[[Mapping[str, Any]], bool]


def _switch(letter: str, meaning: str, name: str) -> ToggleMark:
    return ToggleMark(letter, meaning, (name,), lambda recipe: bool(recipe.get(name)))


_COVERED_ELSEWHERE = ("tasks",)  # which tasks a run trains is seen from its scores
MARKS: tuple[ToggleMark, ...] = (
    _switch("E", "ensembling: an encoder per task", "ensembling"),
    ToggleMark("L", "LoRA", ("lora.rank", "lora.alpha"), lambda recipe: bool(recipe.get("lora.rank"))),
    _switch("X", "extra paraphrase pairs", "extra_data"),
    _switch("C", "super concat", "super_concat"),
    ToggleMark(
        "H",
        "heads of several linear layers",
        tuple(name for name in SETTINGS if name.startswith("head.")),
        lambda recipe: any(value > 1 for name, value in recipe.items() if _is_layers(name)),
    ),
    _switch("P", "Pearson loss", "pearson"),
    _switch("N", "multiple negatives ranking", "mnr"),
    _switch("O", "cosine embedding loss", "cosine_embedding"),
    ToggleMark("+", "another setting of the method differs from the paper's", (), lambda recipe: _has_other(recipe)),
)
_DEFAULTS = {name: setting.default for name, setting in SETTINGS.items() if setting.role is Role.TOGGLE}
_COVERED = {name for mark in MARKS for name in mark.settings} | {*_COVERED_ELSEWHERE}
_OTHERS = {name: default for name, default in _DEFAULTS.items() if name not in _COVERED}


def _has_other(recipe: Mapping[str, Any]) -> bool:
    return any(not _equal(recipe.get(name, default), default) for name, default in _OTHERS.items())


def changed_toggles(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the method that differ from the paper's baseline; alpha only where it is not the rank."""
    found = {name: value for name, value in recipe.items() if name in SETTINGS}
    changed = {
        name: value
        for name, value in found.items()
        if SETTINGS[name].role is Role.TOGGLE and not _equal(value, SETTINGS[name].default)
    }
    if changed.get("lora.alpha") in (None, changed.get("lora.rank", 0)):
        changed.pop("lora.alpha", None)
    return changed


def _equal(value: Any, default: Any) -> bool:
    """A tuple is a list in JSON."""
    return (list(value) if isinstance(value, tuple) else value) == (
        list(default) if isinstance(default, tuple) else default
    )


def toggle_marks(recipe: Mapping[str, Any]) -> str:
    """The marks of a recipe (dotted names to values), one cell each; what is off is a dot."""
    return "".join(mark.letter if mark.is_on(recipe) else OFF for mark in MARKS)
