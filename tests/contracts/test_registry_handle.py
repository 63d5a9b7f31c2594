"""Front ends hand the registry on to services; mypy lets them do nothing else with it."""

import subprocess
import sys
from pathlib import Path

from source_files import Source

FRONT_END = """
from bertmt.services.browse.workload import workload
from bertmt.services.opening import Registry

def draws(registry: Registry) -> None:
    workload(registry)
    print(registry.path, registry.read_only)
    registry.close()
"""
REFUSED = ("execute('SELECT 1')", "executemany('', [])", "connection.commit()", "immediate()", "durable()")


def test_mypy_refuses_sql_and_transactions_in_a_front_end(repository: Path, tmp_path: Path) -> None:
    module = tmp_path / "front_end.py"
    module.write_text(FRONT_END + "".join(f"    registry.{call}\n" for call in REFUSED))
    # A cache of its own: the project's may be written by another mypy meanwhile.
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), str(module)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    first = FRONT_END.count("\n") + 1
    assert [int(line.split(":")[1]) for line in errors] == [first + place for place in range(len(REFUSED))], errors
    assert all('"object"' in line for line in errors), errors


def test_front_ends_name_the_handle_and_not_what_is_behind_it(program: list[Source]) -> None:
    front_ends = [source for source in program if source.in_package("bertmt/cli", "tui")]
    assert front_ends
    assert [source.name for source in front_ends if "import Database" in source.text] == []
