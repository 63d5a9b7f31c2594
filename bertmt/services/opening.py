"""Opening the registry for one command or one session of a front end, which hands it on to services."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from bertmt.errors import DamagedRegistryError, UsageError
from bertmt.registry.database import BUSY_TIMEOUT_SECONDS, GOES_BACK, Database, sqlite_errors_as_sentences
from bertmt.registry.file.opening import open_registry

__all__ = ["Registry", "opened_registry", "sqlite_errors_as_sentences"]


class Registry(Database):
    """The registry as front ends hold it: they hand it on to services, and may ask for its path.

    To mypy what speaks SQL, or opens a transaction, is an object here: nothing can be called on it.
    """

    connection: object
    execute: object  # type: ignore[assignment]
    executemany: object  # type: ignore[assignment]
    immediate: object  # type: ignore[assignment]
    durable: object  # type: ignore[assignment]


@contextmanager
def opened_registry(
    path: Path, create: bool = False, read_only: bool | None = None, busy_seconds: float = BUSY_TIMEOUT_SECONDS
) -> Iterator[Registry]:
    """The registry at `path`, closed at the end; what SQLite raises inside comes out as a sentence.

    Args:
        create: make it where it is missing.
        read_only: write nothing; None: where it cannot be written.
        busy_seconds: how long to wait for another process's lock; where a person waits, take less.

    Raises:
        NotFoundError: there is none, and `create` is false.
        RegistryError: it cannot be used.
    """
    with (
        sqlite_errors_as_sentences(path),
        open_registry(path, create, read_only, busy_seconds) as database,
        _faults_of_its_contents(database),
    ):
        yield cast(Registry, database)


@contextmanager
def _faults_of_its_contents(database: Database) -> Iterator[None]:
    """What a value raises that bertmt would never have stored, or that SQLite cannot take, as a sentence."""
    try:
        yield
    except UnicodeEncodeError:
        raise UsageError("An argument is not valid UTF-8.") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as fault:
        if "SQLite INTEGER" in str(fault):
            raise UsageError("A number has too many digits; at most 18 are allowed.") from None
        # Reading all of a registry takes its time, so it is done only now. Where nothing is wrong, the fault is ours.
        from bertmt.services.upkeep.damage import damage_of  # noqa: PLC0415

        what = damage_of(database)
        if what is None:
            raise
        raise DamagedRegistryError(f"The registry {database.path} is damaged ({what}): {GOES_BACK}.") from fault
