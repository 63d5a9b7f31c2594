"""A registry that lives no longer than the process that makes it: quick, and safe against nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry


@contextmanager
def short_lived_registry(path: Path) -> Iterator[Database]:
    """A new registry, closed at the end; whoever asked deletes it."""
    with open_registry(path, create=True) as database:
        database.execute("PRAGMA journal_mode = DELETE")  # else its log would take as much room as its rows
        database.execute("PRAGMA synchronous = OFF")
        yield database
