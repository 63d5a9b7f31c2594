"""Opening the registry for one command or one session of a front end; the types that these handle come from here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.registry.database import BUSY_TIMEOUT_SECONDS, Database, open_registry, sqlite_errors_as_sentences
from bertmt.registry.records import Awaited, Run, Worker

__all__ = ["Awaited", "Database", "Run", "Worker", "opened_registry", "sqlite_errors_as_sentences"]


@contextmanager
def opened_registry(
    path: Path, create: bool = False, read_only: bool | None = None, busy_seconds: float = BUSY_TIMEOUT_SECONDS
) -> Iterator[Database]:
    """The registry at `path`, closed at the end; what SQLite raises meanwhile comes out as a sentence.

    Args:
        create: make it where it is missing.
        read_only: write nothing; None: where it cannot be written.
        busy_seconds: how long to wait for another process's lock; where a person waits, take less.

    Raises:
        NotFoundError: there is none, and `create` is false.
        RegistryError: it cannot be used.
    """
    with sqlite_errors_as_sentences(path), open_registry(path, create, read_only, busy_seconds) as database:
        yield database
