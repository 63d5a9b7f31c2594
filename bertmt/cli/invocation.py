"""What the global options of one command line say, and the registry that they name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bertmt import paths
from bertmt.cli import diagnostics
from bertmt.errors import reason_of

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.opening import Registry


def registry_path(context: typer.Context) -> Path:
    """The registry that this command line means; it need not exist.

    Raises:
        RegistryError: no file can have that name.
    """
    from bertmt.errors import RegistryError

    given: str | None = context.find_root().params.get("db")
    path = paths.registry_path(given)
    try:
        path.exists()
    except OSError as problem:  # a folder above that may not be entered, a name that is too long
        said = f"The registry {path} cannot be reached ({reason_of(problem)}): name another with --db."
        raise RegistryError(said) from None
    if "\0" in str(path):
        raise RegistryError(f"The registry {path} cannot be made: a name cannot contain NUL; name another with --db.")
    return path


def existing_registry(context: typer.Context) -> "Registry":
    """The registry, closed when the command ends; reading commands never make one.

    Raises:
        NotFoundError: there is none.
    """
    return _opened(context, create=False)


def registry_to_fill(context: typer.Context) -> "Registry":
    """The registry, made where there is none."""
    return _opened(context, create=True)


def _opened(context: typer.Context, create: bool) -> "Registry":
    from bertmt.services.opening import opened_registry

    database: Registry = context.with_resource(opened_registry(registry_path(context), create))
    if database.notice:
        diagnostics.warn(database.notice)
    return database


def named_run(context: typer.Context, word: str | None) -> "Run | None":
    """The run that an option names; None where it is not given."""
    from bertmt.services.browse.lookup import find_run

    return None if word is None else find_run(existing_registry(context), word)


def named_runs(database: "Registry", words: Sequence[str]) -> "list[Run]":
    """The runs that arguments name, each once; a name may stand for several seeds."""
    from bertmt.services.browse import lookup

    return lookup.named_runs(database, words)
