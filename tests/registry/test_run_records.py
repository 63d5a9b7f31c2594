"""A run as records by concern: every field is read from the column of its name."""

from typing import Any

import pytest
from call_types import AddRun
from msgspec.structs import fields

from bertmt.registry.database import Database
from bertmt.registry.records import CONCERNS, Run, reader_of
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State

MOST_FIELDS = 13  # a run's own and its concerns; each concern has fewer
FROM_OTHER_TABLES = ("awaits", "tags", "definitions_json", "job_json")
COLUMN_FIELDS = [each for kind in CONCERNS.values() for each in fields(kind) if each.name not in FROM_OTHER_TABLES]


def test_every_field_of_a_run_holds_what_its_own_column_holds(database: Database, add_run: AddRun) -> None:
    run = add_run()
    stored = {each.name: value_for(number, each) for number, each in enumerate(COLUMN_FIELDS)}
    for name, value in stored.items():
        column = name.removesuffix("_json")
        for table, key in (("runs", "key"), ("summaries", "run")):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            if column in columns:
                database.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (value, run.key))
    again = run_by_key(database, run.key)
    assert {name: reader_of(name)(again) for name in stored} == stored
    assert (again.key, again.id, again.name, again.seed, again.state, again.attempt) == (
        run.key, run.id, "finish", 0, State.QUEUED, 0,
    )  # fmt: skip


def value_for(number: int, field: Any) -> Any:
    """Another for each field, of its type."""
    if field.name in ("snapshot", "worker"):
        return 1 if field.name == "snapshot" else None  # keys of other tables
    return f"text {number}" if "str" in str(field.type) else 100 + number


@pytest.mark.parametrize("kind", [Run, *CONCERNS.values()], ids=lambda kind: kind.__name__)
def test_no_record_of_a_run_has_many_fields(kind: type) -> None:
    assert len(fields(kind)) <= MOST_FIELDS


def test_a_share_is_what_lists_and_documents_call_progress(database: Database, add_run: AddRun) -> None:
    run = add_run()
    database.execute("UPDATE summaries SET step = 5, steps_total = 20 WHERE run = ?", (run.key,))
    again = run_by_key(database, run.key)
    assert (reader_of("progress")(again), again.share_done, reader_of("steps_done")(again)) == (0.25, 0.25, 6)
