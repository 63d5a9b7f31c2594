"""docs/cli.md and docs/registry.md are what the program says."""

from pathlib import Path
from typing import Any

import typer
from sqlite_utils import Database as SqliteUtilsDatabase

from bertmt.cli import reference
from bertmt.cli.app import app
from bertmt.cli.exit_codes import ExitCode
from bertmt.registry import reference as registry_reference
from bertmt.registry.file.opening import open_registry
from bertmt.registry.migrations import SCHEMAS

GROUP: Any = typer.main.get_command(app)
COMMANDS = {**GROUP.commands, **{f"task {name}": each for name, each in GROUP.commands["task"].commands.items()}}


def test_the_page_of_the_command_line_is_up_to_date() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run `python -m bertmt.cli.reference`"


def test_the_page_of_the_registry_is_up_to_date() -> None:
    page = registry_reference.PAGE.read_text(encoding="utf-8")
    assert page == registry_reference.page(), "run `python -m bertmt.registry.reference`"


def test_every_command_and_every_parameter_has_help() -> None:
    silent = [name for name, command in COMMANDS.items() if not command.help]
    for name, command in COMMANDS.items():
        silent += [f"{name} {param.name}" for param in command.params if not param.help]
    assert silent == []


def test_the_first_line_of_every_help_fits_the_list_of_commands() -> None:
    shortened = [name for name, command in COMMANDS.items() if command.get_short_help_str(62).endswith("...")]
    assert shortened == []


def test_every_command_of_the_issue_is_there() -> None:
    wanted = (
        "demo init fetch presets recipe queue worker runs show logs curves confusion wait baseline compare cancel "
        "pause resume requeue rm hold release move edit rename note tag predict export doctor workers tui "
        "verify-resume backup import-run import-predictions gc restore repair task try average notify find "
        "search searches flips slices effects paper report"
    )
    assert set(wanted.split()) == set(GROUP.commands)
    assert set(GROUP.commands["task"].commands) == {"add", "list", "show", "rm", "audit"}


def test_commands_of_a_group_have_places_of_their_own_on_the_page() -> None:
    page = reference.page()
    assert "- [`task add`](#bertmt-task-add)" in page and "### bertmt task audit\n\n```text\nbertmt task audit" in page


def test_every_exit_code_is_explained() -> None:
    assert set(reference.EXIT_CODES) == set(ExitCode)


def test_every_comment_of_the_schema_stands_beside_its_table_or_column(tmp_path: Path) -> None:
    with open_registry(tmp_path / "runs.db", create=True) as database:
        found = registry_reference.tables(SqliteUtilsDatabase(database.connection), SCHEMAS)
    places = {(table.name, name) for table in found for name in ("", *(column.name for column in table.columns))}
    said = registry_reference.comments(SCHEMAS)
    assert len(said) > 40 and set(said) <= places


def test_the_schemas_page_is_of_the_tables_that_are_there() -> None:
    registry = SqliteUtilsDatabase(memory=True)
    registry.table("runs").create({"key": int, "name": str}, pk="key", not_null=["name"], defaults={"name": "x"})
    registry.table("parts").create({"run": int, "part": int}, pk=["run", "part"], foreign_keys=[("run", "runs", "key")])
    registry.table("parts").add_column("size", float)
    registry.table("runs").create_index(["name"], unique=True)
    runs, parts = registry_reference.tables(registry, ["CREATE TABLE runs (   -- all\n    key INTEGER -- own\n);\n"])
    assert (runs.comment, runs.columns[0].declaration, runs.columns[0].comment) == ("all", "INTEGER PRIMARY KEY", "own")
    assert runs.columns[1].declaration == "TEXT NOT NULL DEFAULT 'x'"
    assert [each.declaration for each in parts.columns] == ["INTEGER REFERENCES runs (key)", "INTEGER", "REAL"]
    assert parts.constraints == ("PRIMARY KEY (run, part)",)
