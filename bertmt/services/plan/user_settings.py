"""`bertmt.toml`: a user's defaults for the scale of runs; what the command line says wins."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import UsageError, reason_of
from bertmt.recipe.loading import flatten
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import recipe_from, unknown_name
from bertmt.recipe.settings import Role

PATH_SETTINGS = ("data", "extra_data_file")
ALARMS, NOTIFY, LAUNCHER = TABLES = ("alarms", "notify", "launcher")  # the tables that are not about recipes


def read_user_settings(start: Path | None = None) -> dict[str, Any]:
    """The settings of the nearest `bertmt.toml`, dotted; relative paths are relative to that file.

    Raises:
        UsageError: it is no TOML, or names what is no setting or a toggle.
    """
    path, tree = _read(start)
    if path is None:
        return {}
    values = flatten({name: value for name, value in tree.items() if name not in TABLES or not isinstance(value, dict)})
    for name in values:
        if name not in SETTINGS:
            raise UsageError(f"{path}: {unknown_name(name)}")
        if SETTINGS[name].role is Role.TOGGLE:
            raise UsageError(f"{path}: `{name}` is a toggle and belongs to a recipe: remove it, or use --set {name}=….")
    for name in PATH_SETTINGS:
        if isinstance(values.get(name), str) and values[name] not in ("", "toy"):
            values[name] = str((path.parent / paths.expanded(values[name])).absolute())
    return values


def read_table(name: str, start: Path | None = None) -> tuple[Path | None, dict[str, Any]]:
    """The nearest `bertmt.toml`, and what stands in one of its TABLES, as it is.

    Raises:
        UsageError: it is no TOML.
    """
    path, tree = _read(start)
    found = tree.get(name)
    return path, found if isinstance(found, dict) else {}


def _read(start: Path | None) -> tuple[Path | None, dict[str, Any]]:
    try:
        path = paths.settings_path(start)
    except OSError as problem:  # the working folder was removed
        raise UsageError(f"No {paths.SETTINGS_NAME} can be looked for here: {reason_of(problem)}.") from None
    if path is None:
        return None, {}
    try:
        return path, tomllib.loads(read_text(path, MOST_TOML))
    except (ValueError, RecursionError) as problem:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UsageError(f"{path} is no TOML file: {problem}; fix it or run `bertmt init` again.") from None
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {reason_of(problem)}.") from None


def write_user_settings(folder: Path, values: Mapping[str, Any]) -> Path:
    """Write (or update) `bertmt.toml` in `folder`; settings that are not named keep their value.

    Raises:
        RecipeError: a value is not valid.
        UsageError: the file that stands there cannot be read, or the new one not be written.
    """
    path = folder / paths.SETTINGS_NAME
    kept = read_user_settings(folder) if path.is_file() else {}
    tables = {name: read_table(name, folder)[1] for name in TABLES} if path.is_file() else {}
    merged = kept | dict(values)
    recipe_from(merged)
    lines = ["# Defaults of `bertmt queue` in this folder and below; the command line wins."]
    lines += [f"{name} = {_toml(value)}" for name, value in merged.items()]
    for table, kept_there in tables.items():
        lines += _table_lines(table, kept_there)
    _write(path, lines)
    return path


def write_alarm_settings(values: Mapping[str, Any], start: Path | None = None) -> Path:
    """Put a new `[alarms]` into the nearest `bertmt.toml`, else into a new one; all other lines stay as they are.

    Raises:
        UsageError: the file is no TOML, would be none, or cannot be written.
    """
    path, tree = _read(start)
    try:  # what was there a moment ago may be gone
        path = path or (start or Path.cwd()) / paths.SETTINGS_NAME
        lines = read_text(path, MOST_TOML).splitlines() if path.is_file() else []
    except OSError as problem:
        raise UsageError(f"{path or paths.SETTINGS_NAME} cannot be written: {reason_of(problem)}.") from None
    first = next((place for place, each in enumerate(lines) if each.split("#")[0].strip() == f"[{ALARMS}]"), len(lines))
    end = next((place for place in range(first + 1, len(lines)) if lines[place].lstrip().startswith("[")), len(lines))
    told = [f"{name} = {_toml(value)}" for name, value in values.items()]
    space = [""] if first and first == len(lines) else []
    lines[first:end] = [*space, f"[{ALARMS}]", *told, *([""] if end < len(lines) else [])]
    try:
        found = tomllib.loads("\n".join(lines))
    except ValueError:
        found = {}
    if found != {**tree, ALARMS: dict(values)}:
        raise UsageError(f"{path} has its alarms in another way than under [{ALARMS}]: edit it by hand.")
    _write(path, lines)
    return path


def _table_lines(name: str, values: Mapping[str, Any]) -> list[str]:
    """A table with the tables in it; nothing of an empty one."""
    inner = {key: value for key, value in values.items() if isinstance(value, dict)}
    own = [f"{key} = {_toml(value)}" for key, value in values.items() if key not in inner]
    lines = ["", f"[{name}]", *own] if own else []
    return lines + [line for key, value in inner.items() for line in _table_lines(f"{name}.{key}", value)]


def _toml(value: Any) -> str:
    """A value as TOML writes it; JSON's escapes of what lies beyond 16 bits are none there."""
    return json.dumps(value, ensure_ascii=False)


def _write(path: Path, lines: Sequence[str]) -> None:
    try:
        # A project's, not a person's: what others may see of it is the user's umask.
        atomic_files.write_text(path, "\n".join(lines) + "\n", atomic_files.SHARED_FILE)
    except OSError as problem:
        raise UsageError(f"{path} cannot be written: {reason_of(problem)}.") from None
