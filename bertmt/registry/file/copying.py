"""Copying a registry that others write meanwhile, and looking whether the copy is whole."""

from pathlib import Path

from bertmt.errors import BertmtError, DamagedRegistryError
from bertmt.registry.database import LONGEST_SHOWN, Database, sqlite3
from bertmt.registry.file.health import FINE

# Between two portions Ctrl-C is heard: 16 MiB of a registry's pages of 4 KiB.
PORTION_PAGES = 4096


def copy_pages(database: Database, beside: Path) -> None:
    """Copy all pages of one moment: a transaction that only reads keeps that moment, and no writer waits for it.

    Raises:
        BertmtError: the disk is full.
    """
    copy = sqlite3.connect(beside, isolation_level=None)
    try:
        # Whole or not at all, so no journal is needed; whoever asked sees to it that it is on disk at the end.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        try:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            database.connection.backup(copy, pages=PORTION_PAGES)
        finally:
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as problem:
        if "full" in str(problem):
            raise BertmtError(f"The copy has no room in {beside.parent}: free some, or name another file.") from None
        raise
    finally:
        copy.close()


def checked_runs(source: Path, copied: Path) -> int:
    """How many runs a copy of the registry `source` holds.

    Raises:
        RegistryError: it is damaged, and so is the registry.
    """
    # Immutable: SQLite leaves nothing beside it.
    copy = sqlite3.connect(f"{copied.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        try:
            said = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
        except sqlite3.DatabaseError as problem:
            said = [str(problem)]
        if said != FINE:
            shown = " ".join("; ".join(said).split())[:LONGEST_SHOWN]
            raise DamagedRegistryError(
                f"The registry {source} is damaged ({shown}), so no copy was made: `bertmt repair` saves "
                "what can be saved."
            )
        runs: int = copy.execute("SELECT count(*) FROM runs WHERE removed_at IS NULL").fetchone()[0]
        return runs
    finally:
        copy.close()
