"""Sources of users' own losses and heads, each once, by the digest that recipes have of it.

Only what was submitted here gets in: an import brings none, so that no code of others is ever run.
"""

from collections.abc import Iterable, Mapping

from bertmt.registry.database import Database


def store_sources(database: Database, sources: Mapping[str, tuple[str, str]]) -> None:
    """Store sources that are not there yet; inside a write transaction.

    Args:
        sources: digest to the file's name and its text.
    """
    rows = [(digest, file, text) for digest, (file, text) in sources.items()]
    database.executemany("INSERT OR IGNORE INTO sources (digest, file, source) VALUES (?, ?, ?)", rows)


def sources_with(database: Database, digests: Iterable[str]) -> dict[str, str]:
    """The texts of those that are there, by digest."""
    found = {}
    for digest in dict.fromkeys(digests):
        row = database.execute("SELECT source FROM sources WHERE digest = ?", (digest,)).fetchone()
        if row:
            found[digest] = row[0]
    return found
