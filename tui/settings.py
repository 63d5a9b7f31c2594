"""What a user chose in the dashboard, kept in `dashboard.toml` of their own: theme, columns, saved filters, bell."""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertmt import atomic_files
from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import UsageError, reason_of
from bertmt.recipe.loading import toml_value
from tui.themes import AUTO


@dataclass(frozen=True)
class Settings:
    """The choices; each has a default.

    Attributes:
        columns: keys of the columns of the list of runs that are hidden or shown otherwise than by default.
        filters: saved ones, name to query.
        bell: ring when a marked run ends.
        plain: words in place of signs and pictures, for screen readers.
    """

    theme: str = AUTO
    columns: Mapping[str, bool] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    bell: bool = False
    plain: bool = False


def read_settings(path: Path) -> Settings:
    """The settings in the file; what it does not name has its default.

    Raises:
        UsageError: it is no TOML, or a value is of another kind.
    """
    try:
        found: dict[str, Any] = tomllib.loads(read_text(path, MOST_TOML))
    except FileNotFoundError:
        return Settings()
    except (ValueError, RecursionError, OSError) as problem:
        raise UsageError(f"{path} cannot be read: {reason_of(problem)}; fix it, or delete it to start over.") from None
    known = {each.name for each in dataclasses.fields(Settings)}
    settings = Settings(**{name: value for name, value in found.items() if name in known})
    fits = (
        isinstance(settings.theme, str)
        and isinstance(settings.bell, bool)
        and isinstance(settings.plain, bool)
        and _is_table_of(settings.columns, bool)
        and _is_table_of(settings.filters, str)
    )
    if not fits:
        raise UsageError(
            f"{path}: theme is a text, bell and plain true or false, [columns] holds true or false, [filters] texts; "
            "fix it, or delete it to start over."
        )
    return settings


def with_choices(kept: Settings, known: Settings, choices: Mapping[str, Any]) -> Settings:
    """`kept` with what the choices change; another dashboard may have kept more since `known` was read.

    Args:
        choices: names of attributes to their values; of a table only what differs from the known one is a choice.
    """
    changed: dict[str, Any] = dict(choices)
    for name, table in choices.items():
        if isinstance(table, Mapping):
            before, others = getattr(known, name), getattr(kept, name)
            stay = {key: value for key, value in others.items() if key in table or key not in before}
            changed[name] = stay | {key: value for key, value in table.items() if before.get(key) != value}
    return dataclasses.replace(kept, **changed)


def _is_table_of(value: object, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(each, kind) for each in value.values())


def write_settings(path: Path, settings: Settings) -> None:
    """Replace the file.

    Raises:
        UsageError: it cannot be written.
    """
    lines = ["# Written by bertmt-tui.", f"theme = {toml_value(settings.theme)}", f"bell = {toml_value(settings.bell)}"]
    lines += [f"plain = {toml_value(settings.plain)}"] if settings.plain else []
    for name, table in (("columns", settings.columns), ("filters", settings.filters)):
        lines += ["", f"[{name}]", *(f"{toml_value(key)} = {toml_value(value)}" for key, value in table.items())]
    try:
        atomic_files.make_folder(path.parent)
        atomic_files.write_text(path, "\n".join(lines) + "\n")
    except OSError as problem:
        raise UsageError(f"{path} cannot be written: {reason_of(problem)}; this choice is not kept.") from None
