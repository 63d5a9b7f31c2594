"""Opening the registry for one command or one session of a front end; the types that these handle come from here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.registry.database import Database, open_registry, sqlite_errors_as_sentences
from bertmt.registry.records import Run, Worker

__all__ = ["Database", "Run", "Worker", "opened_registry"]


@contextmanager
def opened_registry(path: Path, create: bool = False) -> Iterator[Database]:
    """The registry at `path`, closed at the end; what SQLite raises meanwhile comes out as a sentence.

    Raises:
        NotFoundError: there is none, and `create` is false.
        RegistryError: it cannot be used.
    """
    with sqlite_errors_as_sentences(path), open_registry(path, create) as database:
        yield database
