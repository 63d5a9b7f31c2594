"""Whether SQLite finds the file in order, and how much of it is unused."""

from typing import Any

from bertmt.registry.database import Database, sqlite3

OK = "ok"
FINE = [OK]  # what SQLite says of a file in which nothing is wrong


def quick_check(database: Database, most: int = 5) -> list[str]:
    """What is wrong with the file's pages, at most so many sentences; `FINE` where nothing is."""
    return [row[0] for row in database.execute(f"PRAGMA quick_check({most})")]


def faults(connection: Any, most: int = 3) -> list[str]:
    """What is wrong with pages, indices and references, a sentence each; nothing where all is well.

    Args:
        connection: a registry, or a bare connection.
    """
    found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({most})") if row[0] != OK]
    said = [" ".join(each.split()) for each in found]  # SQLite's words may hold line breaks
    homeless = {row[0] for row in connection.execute("PRAGMA foreign_key_check")}  # a row for each row of a table
    return said + [f"rows of {table} refer to none" for table in sorted(homeless)]


def empty_log(database: Database) -> None:
    """Bring what stands in the file's log into the file, so that this alone is the registry."""
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def pages(database: Database) -> tuple[int, int, int]:
    """How many pages the file has, how many of them are unused, and how many bytes one is."""
    count, unused, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return count, unused, size


def shrink(database: Database) -> str:
    """Give unused pages back to the disk; why that failed, or nothing.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    try:
        # Bare, as all that asks about the file itself: sqlite-utils has words for the tables in it alone, and its
        # `vacuum` is this statement.
        database.execute("VACUUM")
        empty_log(database)
    except sqlite3.OperationalError as problem:
        return str(problem)
    return ""
