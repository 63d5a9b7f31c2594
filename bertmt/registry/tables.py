"""A registry's tables through sqlite-utils: for what is rare, and goes by whatever columns there are.

What every command or every event does stays with bare statements: see `Database.execute`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteUtilsDatabase


def tables_of(connection: Any) -> "SqliteUtilsDatabase":
    """The tables of an open connection, by name.

    Write within `Database.immediate`: where a transaction is open sqlite-utils joins it with a savepoint and commits
    nothing. Outside, each call would be a separate transaction, which takes its lock late.
    """
    from sqlite_utils import Database as SqliteUtilsDatabase  # noqa: PLC0415 - 0.1–0.4 s, and brings pandas

    # The connection stays as it was opened: with recursive triggers REPLACE does something else, and plugins are
    # anybody's code.
    return SqliteUtilsDatabase(connection, recursive_triggers=False, execute_plugins=False)
