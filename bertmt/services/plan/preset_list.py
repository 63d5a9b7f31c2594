"""Presets: the built-in ones, and a user's own in `presets/` beside the registry."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import BusyError, RecipeError, UsageError, reason_of
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.recipe.loading import Preset, flatten, matching_preset, preset, presets, toml_value
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved

ENDING = ".toml"
FIRST_OWN = 1_000  # behind all built-in ones
SUMMED_UP = 4  # so many settings of a preset stand in its summary, where its user wrote none
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII | re.IGNORECASE)


def known_presets(folder: Path) -> dict[str, Preset]:
    """The built-in presets, then the user's own by name; files that cannot be read are left out.

    Args:
        folder: of the registry, which need not exist.
    """
    return _own_presets(folder)[0]


def broken_presets(folder: Path) -> dict[str, str]:
    """The user's own presets that cannot be read, by name: a sentence with the file."""
    return _own_presets(folder)[1]


def known_preset(folder: Path | None, name: str) -> Preset:
    """The preset of that name.

    Raises:
        NotFoundError: with the nearest name there is.
        UsageError: its file cannot be read.
    """
    found, broken = ({**presets()}, {}) if folder is None else _own_presets(folder)
    if name not in found and name in broken:
        raise UsageError(broken[name])
    return preset(name, found)


def equal_preset(recipe: Recipe, folder: Path | None, named: str | None = None) -> str | None:
    """The preset whose toggles the resolved recipe equals, or None: a built-in one, else one of the user's own.

    Args:
        named: of several own ones that are equal this one, which the recipe was made from.
    """
    found = matching_preset(recipe)
    if found is not None or folder is None or recipe.encoder == OTHER_PROGRAM:
        return found
    toggles = resolved(recipe).toggles()
    own = [each for each in known_presets(folder).values() if each.own]
    for each in sorted(own, key=lambda each: each.name != named):
        with suppress(RecipeError):  # it names what this recipe does not know
            if resolved(each.recipe(recipe.known)).toggles() == toggles:
                return each.name
    return None


def _own_presets(folder: Path) -> tuple[dict[str, Preset], dict[str, str]]:
    found, broken = {**presets()}, {}
    try:
        files = sorted(each for each in paths.presets_folder(folder).iterdir() if each.name.endswith(ENDING))
    except OSError:  # there is no such folder
        files = []
    for place, file in enumerate(each for each in files if not each.name.startswith(".")):
        try:
            own = _read(file, FIRST_OWN + place)
            if own.name in found:
                raise UsageError(f"{file} has the name of a built-in preset: rename it.")
            found[own.name] = own
        except UsageError as problem:
            broken[file.stem] = str(problem)
    return found, broken


def _read(file: Path, order: int) -> Preset:
    try:
        document = tomllib.loads(read_text(file, MOST_TOML))
    except (ValueError, RecursionError) as problem:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UsageError(f"{file} is no TOML file: {problem}.") from None
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {reason_of(problem)}.") from None
    recipe, summary = document.get("recipe", {}), document.get("summary", "")
    if set(document) - {"recipe", "summary"} or not isinstance(recipe, Mapping) or not isinstance(summary, str):
        raise UsageError(f"{file}: a preset has a `summary`, a text, and a table `[recipe]`, and nothing else.")
    if not _NAME.fullmatch(file.stem):
        raise UsageError(f"{file}: a preset's name is at most 64 letters, digits, dots, hyphens and underscores.")
    values = flatten(recipe)
    return Preset(file.stem, " ".join(summary.split()) or _summary(values), None, order, values, own=True)


def _summary(values: Mapping[str, Any]) -> str:
    """What a preset changes, as `--set` takes it, for one whose user did not say what it is."""
    shown = [f"{name}={_as_set(value)}" for name, value in values.items()]
    more = f", {len(shown) - SUMMED_UP} more" if len(shown) > SUMMED_UP else ""
    return f"the baseline with {', '.join(shown[:SUMMED_UP])}{more}" if shown else "as the baseline"


def _as_set(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else toml_value(value).strip('"')


def save_preset(
    folder: Path, name: str, recipe: Recipe, values: Iterable[str], summary: str, force: bool
) -> tuple[Preset, Path]:
    """Write `presets/NAME.toml` beside the registry; the preset and its file.

    Args:
        recipe: valid.
        values: names of the settings that the preset holds; those that are as in the baseline are left out.
        force: replace one that is there.

    Raises:
        UsageError: the name is that of a built-in preset, or cannot be one; or the file cannot be written.
        BusyError: there is one of that name.
    """
    if name in presets():
        raise UsageError(f"{name} is a built-in preset: choose another name.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--save expects a name of at most 64 letters, digits, dots, hyphens and underscores, but found {name!r}."
        )
    file = paths.presets_folder(folder) / f"{name}{ENDING}"
    if file.exists() and not force:
        raise BusyError(f"{file} is there already: --force replaces it, or choose another name.")
    baseline = Recipe(known=recipe.known)
    kept = {each: recipe.value(each) for each in values if recipe.value(each) != baseline.value(each)}
    lines = [f"summary = {toml_value(summary)}", "", "[recipe]"]
    lines += [f"{each} = {toml_value(value)}" for each, value in kept.items() if value is not None]
    try:
        atomic_files.make_folder(file.parent)
        atomic_files.write_text(file, "\n".join(lines) + "\n", atomic_files.SHARED_FILE)
    except OSError as problem:
        raise UsageError(f"{file} cannot be written: {reason_of(problem)}.") from None
    return Preset(name, summary or _summary(kept), None, FIRST_OWN, kept, own=True), file
