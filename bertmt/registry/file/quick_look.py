"""A look into a registry that costs nobody time: for words that a shell offers while a command line is typed.

Not `open_registry`, which waits for locks, brings old schemas up to date and may take half a minute for it.
"""

from pathlib import Path

from bertmt.registry.database import SCHEMA_VERSION, sqlite3
from bertmt.registry.runs import IS_STAGED

TIMEOUT_SECONDS = 0.2  # nobody waits longer for a Tab


def newest_names(registry: Path, most: int) -> list[str]:
    """Ids and names of the newest runs; empty where there is no registry, or one that cannot be read at once."""
    return _words(registry, "SELECT id, name FROM runs WHERE removed_at IS NULL ORDER BY key DESC LIMIT ?", most)


def removed_names(registry: Path, most: int) -> list[str]:
    """Ids and names of the runs that were removed last and can be brought back."""
    removed = f"removed_at IS NOT NULL AND NOT {IS_STAGED}"
    return _words(registry, f"SELECT id, name FROM runs WHERE {removed} ORDER BY removed_at DESC LIMIT ?", most)


def tags_in_use(registry: Path, most: int) -> list[str]:
    """The tags that runs have."""
    return _words(registry, "SELECT DISTINCT tag FROM tags ORDER BY tag LIMIT ?", most)


def _words(registry: Path, sql: str, most: int) -> list[str]:
    if not registry.is_file():
        return []
    try:
        connection = sqlite3.connect(registry, timeout=TIMEOUT_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only = ON")
            if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                return []
            rows = connection.execute(sql, (most,)).fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        return []
    return [word for row in rows for word in row]
