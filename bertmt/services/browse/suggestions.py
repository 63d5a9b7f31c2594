"""Words that a shell may offer while a command line is typed: quick, and never an error."""

from pathlib import Path

from bertmt.registry.database import SCHEMA_VERSION, sqlite3
from bertmt.registry.runs import IS_STAGED

MOST = 300
TIMEOUT_SECONDS = 0.2  # nobody waits longer for a Tab


def run_words(registry: Path) -> list[str]:
    """Ids and names of the newest runs; empty where there is no registry, or one that cannot be read at once."""
    return _words(registry, "SELECT id, name FROM runs WHERE removed_at IS NULL ORDER BY key DESC LIMIT ?")


def removed_run_words(registry: Path) -> list[str]:
    """Ids and names of the runs that can be brought back."""
    removed = f"removed_at IS NOT NULL AND NOT {IS_STAGED}"
    return _words(registry, f"SELECT id, name FROM runs WHERE {removed} ORDER BY removed_at DESC LIMIT ?")


def tag_words(registry: Path) -> list[str]:
    """The tags in use."""
    return _words(registry, "SELECT DISTINCT tag FROM tags ORDER BY tag LIMIT ?")


def _words(registry: Path, sql: str) -> list[str]:
    """The words of a query that a shell can take as they are.

    Not `open_registry`, which waits for locks, brings old schemas up to date and may take half a minute for it.
    """
    if not registry.is_file():
        return []
    try:
        connection = sqlite3.connect(registry, timeout=TIMEOUT_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only = ON")
            if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                return []
            rows = connection.execute(sql, (MOST,)).fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        return []
    return list(dict.fromkeys(word for row in rows for word in row if _is_plain(word)))


def _is_plain(word: str) -> bool:
    """Whether every shell takes the word as one, without quotes; a completion is no place for tricks."""
    return bool(word) and word.isascii() and all(letter.isalnum() or letter in "-_.+" for letter in word)
