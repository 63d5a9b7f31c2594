"""What a user chose in the dashboard, kept in `dashboard.toml` of their own: theme, columns, saved views, bell."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertmt import atomic_files
from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import UsageError, reason_of
from bertmt.recipe.loading import toml_value
from tui.styles.themes import AUTO


@dataclass(frozen=True)
class View:
    """A way to look at the list of runs; what is None stays as it is.

    Attributes:
        order: a field, "-" before it downwards, or the order of `services.browse.run_list.STANDING`.
        seeds: the seeds of a recipe stand in one line.
        columns, pinned: as in `Settings`.
    """

    filter: str = ""
    order: str | None = None
    seeds: bool | None = None
    columns: Mapping[str, bool] | None = None
    pinned: Sequence[str] | None = None


@dataclass(frozen=True)
class Settings:
    """The choices; each has a default.

    Attributes:
        columns: keys of the columns of the list of runs that are hidden or shown otherwise than by default.
        views: saved ones, by name.
        bell: ring when a marked run ends.
        pinned: keys of the columns that stand at the left of that list, and are never left out.
        plain: words in place of signs and pictures, for screen readers.
    """

    theme: str = AUTO
    columns: Mapping[str, bool] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    bell: bool = False
    pinned: Sequence[str] = ()
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
    # Until version 0.2 a filter alone could be saved.
    filters, views = found.pop("filters", {}), found.pop("views", {})
    known = {each.name for each in dataclasses.fields(Settings)}
    settings = Settings(**{name: _frozen(value) for name, value in found.items() if name in known})
    fits = (
        isinstance(settings.theme, str)
        and isinstance(settings.bell, bool)
        and isinstance(settings.plain, bool)
        and _is_table_of(settings.columns, bool)
        and _are_names(settings.pinned)
        and _is_table_of(filters, str)
        and _is_table_of(views, dict)
    )
    made = [_view(view) for view in views.values()] if fits else []
    if not fits or None in made:
        raise UsageError(
            f"{path}: theme is a text, bell and plain true or false, pinned a list of texts, "
            "[columns] holds true or false, [views.NAME] filter and order (texts), seeds (true or false), columns and "
            "pinned; fix it, or delete it to start over."
        )
    own = {name: view for name, view in zip(views, made, strict=True) if view is not None}
    return dataclasses.replace(settings, views={name: View(query) for name, query in filters.items()} | own)


def _view(found: Mapping[str, Any]) -> View | None:
    """A view as it was written; None where it is none."""
    known = {each.name for each in dataclasses.fields(View)}
    view = View(**{name: _frozen(value) for name, value in found.items() if name in known})
    fits = (
        isinstance(view.filter, str)
        and isinstance(view.order, str | None)
        and isinstance(view.seeds, bool | None)
        and (view.columns is None or _is_table_of(view.columns, bool))
        and (view.pinned is None or _are_names(view.pinned))
    )
    return view if fits else None


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


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _are_names(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _is_table_of(value: object, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(each, kind) for each in value.values())


def write_settings(path: Path, settings: Settings) -> None:
    """Replace the file.

    Raises:
        UsageError: it cannot be written.
    """
    lines = ["# Written by bertmt-tui."]
    lines += [f"{name} = {toml_value(getattr(settings, name))}" for name in ("theme", "bell", "pinned")]
    lines += [f"plain = {toml_value(settings.plain)}"] if settings.plain else []
    lines += ["", "[columns]", *_pairs(settings.columns)]
    for name, view in settings.views.items():
        said = {each: value for each, value in vars(view).items() if value is not None and each != "columns"}
        lines += ["", f"[views.{toml_value(name)}]", *_pairs(said)]
        if view.columns is not None:
            lines += ["", f"[views.{toml_value(name)}.columns]", *_pairs(view.columns)]
    try:
        atomic_files.make_folder(path.parent)
        atomic_files.write_text(path, "\n".join(lines) + "\n")
    except OSError as problem:
        raise UsageError(f"{path} cannot be written: {reason_of(problem)}; this choice is not kept.") from None


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{toml_value(key)} = {toml_value(value)}" for key, value in table.items()]
