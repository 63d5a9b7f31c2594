"""What people write about a run, and what they ask of one that is running."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.registry.database import Database
from bertmt.registry.runs import store_tasks
from bertmt.tasks.task import Tasks


@dataclass(frozen=True, kw_only=True)
class NewSettings:
    """What a run that waits is to be trained with instead.

    Attributes:
        fingerprints, encoder_fingerprints: of its data and its encoder as they are now.
        tasks: what the tasks are that its recipe names.
    """

    recipe_json: str
    digest: str
    seed: int
    preset: str | None
    data: str
    extra_data_file: str
    fingerprints: Mapping[str, str]
    encoder_fingerprints: Mapping[str, str]
    tasks: Tasks


def store_settings(database: Database, key: int, new: NewSettings) -> None:
    """Replace a run's recipe; inside a write transaction."""
    database.execute(
        "UPDATE runs SET recipe = ?, digest = ?, seed = ?, preset = ?, data = ?, extra_data_file = ?,"
        " fingerprints = ?, encoder_fingerprints = ?, task_set = ? WHERE key = ?",
        (
            new.recipe_json,
            new.digest,
            new.seed,
            new.preset,
            new.data,
            new.extra_data_file,
            json.dumps(dict(new.fingerprints)),
            json.dumps(dict(new.encoder_fingerprints)),
            store_tasks(database, new.tasks),
            key,
        ),
    )


def store_request(database: Database, key: int, request: str | None) -> None:
    """Leave "cancel" or "pause" to whoever works a run, or take it back; nothing where it is not running."""
    with database.immediate():
        database.execute("UPDATE runs SET request = ? WHERE key = ? AND state = 'running'", (request, key))


def ask_to_pause(database: Database, key: int) -> None:
    """Leave "pause" to whoever works a run, unless somebody asked for something else meanwhile."""
    with database.immediate():
        database.execute(
            "UPDATE runs SET request = 'pause' WHERE key = ? AND state = 'running' AND request IS NULL", (key,)
        )


def leave_budget(database: Database, key: int) -> None:
    """Let a run go on without the budget that it shares with others."""
    with database.immediate():
        database.execute("UPDATE runs SET budget = NULL WHERE key = ?", (key,))


def store_note(database: Database, key: int, note: str) -> None:
    """Replace a run's note."""
    with database.immediate():
        database.execute("UPDATE runs SET note = ? WHERE key = ?", (note, key))


def store_name(database: Database, key: int, name: str) -> None:
    """Call a run otherwise."""
    with database.immediate():
        database.execute("UPDATE runs SET name = ? WHERE key = ?", (name, key))


def add_tag(database: Database, key: int, tag: str) -> None:
    """Give a run a tag, which it may have already."""
    with database.immediate():
        database.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (key, tag))


def remove_tag(database: Database, key: int, tag: str) -> bool:
    """Take a tag away; whether the run had it."""
    with database.immediate():
        return bool(database.execute("DELETE FROM tags WHERE run = ? AND tag = ?", (key, tag)).rowcount)


def store_pause(database: Database, key: int, epoch: int) -> None:
    """Let a run pause by itself after an epoch; 0: it trains to its end."""
    with database.immediate():
        database.execute("UPDATE runs SET pause_after = ? WHERE key = ?", (epoch, key))
