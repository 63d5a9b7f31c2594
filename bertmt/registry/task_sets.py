"""What the tasks of runs are: definitions stored once for all runs that were submitted with the same ones."""

from collections.abc import Collection, Mapping

from bertmt.registry.database import Database
from bertmt.tasks import definitions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task, Tasks


def store(database: Database, tasks: Tasks) -> int | None:
    """The key of these definitions, added where they are new; None for built-in ones. Inside a write transaction."""
    if all(BUILTIN.get(name) == task for name, task in tasks.items()):
        return None
    text = definitions.to_json(tasks)
    database.execute("INSERT OR IGNORE INTO task_sets (definitions) VALUES (?)", (text,))
    key: int = database.execute("SELECT key FROM task_sets WHERE definitions = ?", (text,)).fetchone()[0]
    return key


def definitions_of(database: Database, keys: Collection[int | None]) -> Mapping[int | None, str]:
    """The texts of these; of None "", which is the built-in ones."""
    wanted = [key for key in keys if key is not None]
    found: dict[int | None, str] = {None: ""}
    if wanted:  # all of them: there are few, however many the runs
        found |= dict(database.execute("SELECT key, definitions FROM task_sets").fetchall())
    return found


def all_tasks(database: Database) -> list[Task]:
    """Every task that some run may have, the built-in ones first; of one name several, where definitions differ.

    Raises:
        DataError: the registry holds what is no definition.
    """
    found = dict.fromkeys(BUILTIN.values())
    for (text,) in database.execute("SELECT definitions FROM task_sets ORDER BY key"):
        found |= dict.fromkeys(definitions.from_json(text).values())
    return list(found)
