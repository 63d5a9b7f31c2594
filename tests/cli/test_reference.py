"""docs/cli.md and docs/registry.md are what the program says."""

import typer

from bertmt.cli import reference
from bertmt.cli.app import app
from bertmt.cli.exit_codes import ExitCode
from bertmt.registry import reference as registry_reference
from bertmt.registry.database import open_registry
from bertmt.registry.migrations import SCHEMAS

GROUP = typer.main.get_command(app)


def test_the_page_of_the_command_line_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run `python -m bertmt.cli.reference`"


def test_the_page_of_the_registry_is_up_to_date():
    page = registry_reference.PAGE.read_text(encoding="utf-8")
    assert page == registry_reference.page(), "run `python -m bertmt.registry.reference`"


def test_every_command_and_every_parameter_has_help():
    silent = [name for name, command in GROUP.commands.items() if not command.help]
    for name, command in GROUP.commands.items():
        silent += [f"{name} {param.name}" for param in command.params if not param.help]
    assert silent == []


def test_the_first_line_of_every_help_fits_the_list_of_commands():
    shortened = [name for name, command in GROUP.commands.items() if command.get_short_help_str(62).endswith("...")]
    assert shortened == []


def test_every_command_of_the_issue_is_there():
    wanted = (
        "init fetch presets recipe queue worker runs show logs curves confusion wait baseline compare cancel requeue "
        "rm restore hold release move edit note tag predict export doctor workers tui backup import-run gc repair"
    )
    assert set(wanted.split()) == set(GROUP.commands)


def test_every_exit_code_is_explained():
    assert set(reference.EXIT_CODES) == set(ExitCode)


def test_the_schemas_page_has_every_table_and_column_that_sqlite_has(tmp_path):
    described = {table.name: [column.name for column in table.columns] for table in registry_reference.tables(SCHEMAS)}
    with open_registry(tmp_path / "runs.db", create=True) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
            for name in names
            if not name.startswith(("sqlite_", "_sqlite"))
        }
    assert described == found
