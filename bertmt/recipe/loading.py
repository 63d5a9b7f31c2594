"""Recipes from and to TOML and JSON, presets by name, `--set` and `--sweep` from the command line."""

import itertools
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import NotFoundError, Problems, RecipeError, UsageError, reason_of
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.recipe.quoting import shown
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import recipe_from, resolved, task_of_head, unknown_name, with_present_names
from bertmt.recipe.settings import Role
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Tasks


@dataclass(frozen=True)
class Preset:
    """A named recipe of the paper, or a control of ours.

    Attributes:
        values: the settings that differ from the paper's baseline, dotted names to raw values.
        figure: where the paper reports it ("5"), or None for a control.
        summary: what it is, one line.
        order: of the list; a later one between two older ones has a fraction.
        own: a user made it.
    """

    name: str
    summary: str
    figure: str | None
    order: float
    values: Mapping[str, Any]
    own: bool = False

    def recipe(self, known: Tasks = BUILTIN) -> Recipe:
        """The preset as a recipe; its data still has to be named.

        Args:
            known: the tasks that it may name.
        """
        return recipe_from(self.values, known=known)


@cache
def presets() -> dict[str, Preset]:
    """All presets by name, in the order in which the paper reports them, controls last."""
    found = []
    for entry in files("bertmt.recipe").joinpath("presets").iterdir():
        if entry.name.endswith(".toml"):
            document = tomllib.loads(entry.read_text(encoding="utf-8"))
            values = flatten(document.get("recipe", {}))
            found.append(
                Preset(
                    entry.name.removesuffix(".toml"),
                    document["summary"],
                    document.get("figure"),
                    document["order"],
                    values,
                )
            )
    return {preset.name: preset for preset in sorted(found, key=lambda preset: preset.order)}


def preset(name: str, known: Mapping[str, Preset] | None = None) -> Preset:
    """The preset of that name.

    Args:
        known: which there are; by default the built-in ones.

    Raises:
        NotFoundError: with the nearest name there is.
    """
    known = presets() if known is None else known
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean `{near[0]}`?" if near else "`bertmt presets` lists them."
    raise NotFoundError(f"No preset is called {shown(name)}; {hint}")


@cache
def _preset_toggles() -> dict[str, dict[str, Any]]:
    return {name: resolved(each.recipe()).toggles() for name, each in presets().items()}


def matching_preset(recipe: Recipe) -> str | None:
    """The preset whose toggles the resolved recipe equals, or None; scale and seed play no part.

    Of predictions of another program no toggle is known.
    """
    if recipe.encoder == OTHER_PROGRAM:
        return None
    own = resolved(recipe).toggles()
    return next((name for name, toggles in _preset_toggles().items() if toggles == own), None)


def differences(recipe: Recipe, base: Recipe, roles: Iterable[Role] = tuple(Role)) -> dict[str, tuple[Any, Any]]:
    """The settings in which two recipes differ: name to (base's value, recipe's value)."""
    wanted = set(roles)
    return {
        name: (base.value(name), recipe.value(name))
        for name, setting in (base.settings() | recipe.settings()).items()
        if setting.role in wanted and base.value(name) != recipe.value(name)
    }


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested TOML tables as dotted names."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def read_toml(path: Path) -> dict[str, Any]:
    """The settings of a TOML recipe file, dotted.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is no TOML; the message names the line.
    """
    try:
        return flatten(tomllib.loads(read_text(path, MOST_TOML)))
    except FileNotFoundError:
        raise NotFoundError(f"No recipe file {path}; `bertmt recipe --preset final > my.toml` writes one.") from None
    except (ValueError, RecursionError) as problem:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UsageError(f"{path} is no TOML file: {problem}.") from None
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {reason_of(problem)}.") from None


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """`--set key=value` arguments.

    Raises:
        UsageError: some have no `=`.
    """
    problems = Problems()
    pairs = [problems.attempt(_assignment, text) for text in texts]
    problems.raise_all()
    return dict(pair for pair in pairs if pair)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set expects KEY=VALUE, for example lora.rank=20, but found {shown(text)}.")
    return name.strip(), value.strip()


def parse_sweeps(texts: Sequence[str]) -> list[dict[str, str]]:
    """`--sweep key=a,b,c` arguments as the list of all their combinations (one empty one without sweeps).

    Raises:
        UsageError: one has no `=` or no values, or sweeps what another sweeps.
        RecipeError: one names no setting, or several problems.
    """
    problems = Problems()
    axes = [axis for axis in (problems.attempt(_axis, text) for text in texts) if axis]
    names = [axis[0][0] for axis in axes]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        problems.add(UsageError(f"--sweep {name} is given twice; write --sweep {name}=V1,V2,… once."))
    problems.raise_all()
    return [dict(combination) for combination in itertools.product(*axes)]


def _axis(text: str) -> list[tuple[str, str]]:
    """The values of one `--sweep`."""
    name, equals, value = text.partition("=")
    [name] = with_present_names({name.strip(): ""})
    words = [word.strip() for word in value.split(",") if word.strip()]
    if not equals or not name or not words:
        raise UsageError(f"--sweep expects KEY=V1,V2,…, for example lora.rank=20,100, but found {shown(text)}.")
    if name not in SETTINGS:
        raise RecipeError([unknown_name(name)])
    if SETTINGS[name].kind in ("list", "texts"):  # a comma separates values of a sweep, so members are joined by +
        words = [word.replace("+", ",") for word in words]
    return [(name, word) for word in dict.fromkeys(words)]


def to_json(recipe: Recipe) -> str:
    """All settings, dotted, as one JSON object."""
    return json.dumps(recipe.flat(), indent=1)


def from_json(text: str, known: Tasks = BUILTIN) -> Recipe:
    """The recipe of `to_json`; a setting that a newer version added takes its default.

    Args:
        known: what its tasks are. Heads of others are passed over: it does not train them.

    Raises:
        RecipeError: it is no JSON object, or no valid recipe.
    """
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            raise RecipeError([f"A recipe in JSON is an object, but this is a {type(document).__name__}."])
        values = with_present_names(flatten(document))
        values = {name: value for name, value in values.items() if task_of_head(name) in (None, *known)}
    except (ValueError, RecursionError) as problem:
        raise RecipeError([f"A recipe in JSON was expected, but this is none: {problem}."]) from None
    return recipe_from(values, known=known)


def to_toml(recipe: Recipe, comments: bool = True) -> str:
    """All settings as TOML, each with its help; `recipe_from(flatten(tomllib.loads(text)))` gives it back."""
    settings = recipe.settings()
    plain = [name for name in settings if "." not in name]
    grouped = [name for name in settings if "." in name]
    lines = []
    opened = ""
    for name in plain + grouped:
        table, _, leaf = name.rpartition(".")
        if table != opened:
            lines += ["", f"[{table}]"]
            opened = table
        value = recipe.value(name)
        if value is not None:
            help_text = f"  # {settings[name].help}" if comments else ""
            lines.append(f"{leaf} = {toml_value(value)}{help_text}")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    # JSON's strings and lists are TOML's, but for DEL, which TOML wants escaped, and for characters above
    # U+FFFF, which JSON would escape as two halves that TOML refuses: hence not escaped.
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
