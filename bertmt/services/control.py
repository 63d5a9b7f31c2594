"""What a person may ask of runs: cancel, hold, release, move, requeue, edit, remove, note, tag."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bertmt.errors import BusyError, DataError, NotFoundError, UsageError
from bertmt.recipe.loading import from_json, matching_preset, to_json
from bertmt.recipe.rules import recipe_from, resolved, unresolved
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import move, remove, run_by_key
from bertmt.registry.states import Owner, State
from bertmt.services.data_check import check_data
from bertmt.services.sync import folder_of, settle, sync

WAITING = (State.QUEUED, State.HELD)


def cancel(database: Database, run: Run) -> Run:
    """Cancel a waiting run at once; ask the worker of a running one to stop it.

    Raises:
        BusyError: it has ended already.
    """
    run = settle(database, sync(database, run))
    if run.state is State.RUNNING:
        with database.immediate():
            database.execute("UPDATE runs SET request = 'cancel' WHERE key = ? AND state = 'running'", (run.key,))
        return run_by_key(database, run.key)
    return move(database, run.key, State.CANCELLED, Owner.PERSON, "cancelled before it was started")


def hold(database: Database, run: Run) -> Run:
    """Keep a queued run from being taken."""
    return move(database, run.key, State.HELD, Owner.PERSON, "held")


def release(database: Database, run: Run) -> Run:
    """Let a held run be taken again."""
    return move(database, run.key, State.QUEUED, Owner.PERSON, "released")


def requeue(database: Database, run: Run, data: str | None = None, extra_data_file: str | None = None) -> Run:
    """Queue a failed, cancelled or lost run again, as its next attempt; behind all that wait.

    Args:
        data: where the same data lies now.

    Raises:
        BusyError: its state forbids it.
        DataError: the data there is not what the run was submitted with.
    """
    run = settle(database, sync(database, run))
    columns: dict[str, Any] = {"request": None, "failure": None, "ended_at": None}
    if data or extra_data_file:
        recipe = from_json(run.recipe_json)
        new = {"data": data or run.data, "extra_data_file": extra_data_file or run.extra_data_file}
        checked = check_data(recipe.with_values(new))
        if checked.fingerprints != dict(run.fingerprints):
            changed = sorted(name for name, mark in run.fingerprints.items() if checked.fingerprints.get(name) != mark)
            raise UsageError(
                f"{new['data']} does not hold the data that run {run.id} was submitted with: "
                f"{', '.join(changed)} differ; queue a new run with --data instead."
            )
        columns |= {"data": checked.data, "extra_data_file": checked.extra_data_file}
    with database.immediate():
        highest = database.execute("SELECT max(position) FROM runs").fetchone()[0]
        return move(database, run.key, State.QUEUED, Owner.PERSON, "requeued", position=highest + 1, **columns)


def reorder(database: Database, run: Run, first: bool = True, before: Run | None = None) -> Run:
    """Put a waiting run first, last, or before another.

    Raises:
        BusyError: it does not wait.
    """
    with database.immediate():
        run = _waiting(database, run, "moved")
        waiting = [
            row[0]
            for row in database.execute(
                "SELECT key FROM runs WHERE state IN ('queued', 'held') AND key != ? ORDER BY position, key", (run.key,)
            )
        ]
        if before is not None:
            place = waiting.index(before.key) if before.key in waiting else len(waiting)
        else:
            place = 0 if first else len(waiting)
        waiting.insert(place, run.key)
        start = database.execute("SELECT coalesce(max(position), 0) + 1 FROM runs").fetchone()[0]
        database.executemany(
            "UPDATE runs SET position = ? WHERE key = ?",
            [(start + offset, key) for offset, key in enumerate(waiting)],
        )
        return run_by_key(database, run.key)


def shift(database: Database, run: Run, places: int) -> Run:
    """Move a waiting run so many places towards the end of the queue, or with a negative number to its front.

    Raises:
        BusyError: it does not wait.
    """
    with database.immediate():
        _waiting(database, run, "moved")
        rows = database.execute(
            "SELECT key, position FROM runs WHERE state IN ('queued', 'held') ORDER BY position, key"
        ).fetchall()
        keys, positions = [key for key, _ in rows], [position for _, position in rows]
        here = keys.index(run.key)
        there = min(max(here + places, 0), len(keys) - 1)
        keys.insert(there, keys.pop(here))
        # The others keep their order and together their positions, so that only those in between are written.
        changed = slice(min(here, there), max(here, there) + 1)
        database.executemany(
            "UPDATE runs SET position = ? WHERE key = ?", list(zip(positions[changed], keys[changed], strict=True))
        )
        return run_by_key(database, run.key)


def edit(database: Database, run: Run, values: Mapping[str, Any]) -> Run:
    """Change settings of a waiting run; an optional setting that followed another follows it still.

    Raises:
        RecipeError: the changed recipe is not valid.
        BusyError: it does not wait.
    """
    recipe = resolved(recipe_from(values, base=unresolved(from_json(run.recipe_json))))
    checked = check_data(recipe)
    recipe = recipe.with_values({"data": checked.data, "extra_data_file": checked.extra_data_file})
    with database.immediate():
        _waiting(database, run, "edited")
        database.execute(
            "UPDATE runs SET recipe = ?, digest = ?, seed = ?, preset = ?, data = ?, extra_data_file = ?,"
            " fingerprints = ? WHERE key = ?",
            (
                to_json(recipe),
                recipe.digest(),
                recipe.seed,
                matching_preset(recipe),
                checked.data,
                checked.extra_data_file,
                json.dumps(checked.fingerprints),
                run.key,
            ),
        )
        return run_by_key(database, run.key)


def delete(database: Database, run: Run) -> None:
    """Forget a run that is not running, and delete its folder.

    Raises:
        BusyError: it is running.
    """
    with database.immediate():
        refuse_running(database, run)
        remove(database, run.key)
    # The registry first: a folder without a run is litter, a run without its folder a riddle.
    shutil.rmtree(folder_of(database, run).path, ignore_errors=True)


def refuse_running(database: Database, run: Run) -> None:
    """Raise a BusyError where a run is running, so that several are removed all or none."""
    with suppress(DataError):  # a folder that cannot be read is no reason to keep the run
        settle(database, sync(database, run))
    if run_by_key(database, run.key).state is State.RUNNING:
        raise BusyError(f"Run {run.id} is running; `bertmt cancel {run.id}` stops it first.")


def annotate(database: Database, run: Run, note: str) -> Run:
    """Replace a run's note."""
    with database.immediate():
        database.execute("UPDATE runs SET note = ? WHERE key = ?", (note, run.key))
        return run_by_key(database, run.key)


def tag(database: Database, run: Run, tag_name: str, present: bool = True) -> Run:
    """Give a run a tag, or take it away.

    Raises:
        UsageError: the tag is empty or holds white space, commas or control characters.
        NotFoundError: it has no such tag.
    """
    check_tag(tag_name)
    with database.immediate():
        if present:
            database.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (run.key, tag_name))
        elif not database.execute("DELETE FROM tags WHERE run = ? AND tag = ?", (run.key, tag_name)).rowcount:
            raise NotFoundError(f"Run {run.id} has no tag {tag_name!r}; it has {', '.join(run.tags) or 'none'}.")
        return run_by_key(database, run.key)


def check_tag(tag_name: str) -> None:
    """Raise a UsageError where a word cannot be a tag."""
    if not tag_name or any(c.isspace() or not c.isprintable() or c in ",:" for c in tag_name):
        raise UsageError(f"A tag is one word without comma or colon, but found {tag_name!r}.")


def _waiting(database: Database, run: Run, verb: str) -> Run:
    current = run_by_key(database, run.key)
    if current.state not in WAITING:
        raise BusyError(f"Run {run.id} is {current.state}; only queued and held runs can be {verb}.")
    return current
