"""One room per concern: SQL, starting processes, and how many modules a folder holds."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from source_files import Source

# Statements are run on connections, and written as strings that begin with a verb of SQL.
RUNS_SQL = {"execute", "executemany", "executescript"}
SQL_VERB = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|PRAGMA|CREATE|ALTER|DROP|VACUUM|ATTACH|BEGIN|COMMIT|ROLLBACK)\s"
)
# Their condition is SQL too; other rooms ask `registry.finding`.
TAKES_A_CONDITION = {"all_runs", "removed_runs"}
MOST_MODULES = 16
COMMANDS = "bertmt/cli"  # one file per noun, however many there are


def in_words(node: Any) -> str | None:
    """The text of a string as it stands in the source, without what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)
    return None


def called(node: ast.AST) -> Any:
    """The last name of what is called: "execute" of `database.connection.execute(…)`."""
    if not isinstance(node, ast.Call):
        return None
    return getattr(node.func, "attr", None) or getattr(node.func, "id", None)


def sql_in(source: Source) -> Iterator[str]:
    """The lines of a file that run SQL, or hold some."""
    texts = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}  # docstrings
    node: Any  # its attributes go with its kind
    for node in ast.walk(source.tree):
        text = in_words(node) if id(node) not in texts else None
        has_condition = called(node) in TAKES_A_CONDITION and len(node.args) + len(node.keywords) > 1
        if called(node) in RUNS_SQL or has_condition or (text is not None and SQL_VERB.match(text)):
            yield f"{source.name}:{node.lineno}"


def sql_outside(sources: list[Source], *rooms: Any) -> list[Any]:
    return sorted({line for source in sources if not source.in_package(*rooms) for line in sql_in(source)})


def test_sql_stands_in_the_registry_alone(program: list[Source]) -> None:
    assert sql_outside(program, "bertmt/registry") == []


def test_sql_elsewhere_would_be_found(planted: Callable[..., list[Source]]) -> None:
    lines = [
        '"""SELECT in a docstring is none."""',
        'database.execute(sql)',
        'words = "SELECT id FROM runs"',
        'words = f"UPDATE {table} SET x = 1"',
        'found = all_runs(database, "runs.state = 1")',
        'found = all_runs(database)',
        'connection.executemany(sql, rows)',
        'words = "Update the page"',
    ]  # fmt: skip
    tree = {"bertmt/services/late.py": "\n".join(lines), "bertmt/registry/runs.py": "database.execute(sql)"}
    assert sql_outside(planted(tree), "bertmt/registry") == [
        f"bertmt/services/late.py:{line}" for line in (2, 3, 4, 5, 7)
    ]


def crowded(sources: list[Source], most: int = MOST_MODULES) -> dict[Any, Any]:
    """Folders with more modules of their own than that, packages aside."""
    modules = [source.name for source in sources if not source.name.endswith("/__init__.py")]
    counts = Counter(PurePosixPath(name).parent.as_posix() for name in modules)
    return {folder: count for folder, count in counts.items() if count > most}


def test_a_folder_of_more_than_16_modules_has_an_inside(sources: list[Source]) -> None:
    assert {folder: count for folder, count in crowded(sources).items() if folder != COMMANDS} == {}


def test_a_crowded_folder_would_be_found(planted: Callable[..., list[Source]]) -> None:
    tree = {f"bertmt/room/module_{number}.py": "" for number in range(16)} | {"bertmt/room/__init__.py": ""}
    tree |= {f"bertmt/room/inside/module_{number}.py": "" for number in range(16)}
    assert crowded(planted(tree)) == {}
    assert crowded(planted(tree | {"bertmt/room/one_more.py": ""})) == {"bertmt/room": 17}


def started_in(sources: list[Source], *rooms: Any) -> list[Any]:
    """Where a process is started, outside of these rooms."""
    names: list[tuple[Source, Any]]
    starts = {"Popen", "execv", "execve", "execvp", "posix_spawn", "fork"}
    names = [
        (source, node)
        for source in sources
        if not source.in_package(*rooms)
        for node in ast.walk(source.tree)
        if called(node) in starts or (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."))
    ]
    return [f"{source.name}:{node.lineno}" for source, node in names]


def test_processes_are_started_in_the_room_of_launchers_alone(program: list[Source]) -> None:
    """But for git, which the snapshot of the code asks, and the dashboard, which takes the place of `bertmt tui`."""
    assert started_in(program, "bertmt/launchers", "bertmt/services/plan/snapshot.py", "bertmt/cli/tui.py") == []


def test_a_process_started_elsewhere_would_be_found(planted: Callable[..., list[Source]]) -> None:
    lines = ["import subprocess", "subprocess.Popen(command)", "child: 'subprocess.Popen[bytes]'", "os.execv(a, b)"]
    lines += ["subprocess.run(command)", "from subprocess import Popen", "Popen(command)"]
    tree = {"bertmt/cli/late.py": "\n".join(lines), "bertmt/launchers/training.py": "subprocess.Popen(command)"}
    assert started_in(planted(tree), "bertmt/launchers") == [f"bertmt/cli/late.py:{line}" for line in (2, 4, 5, 7)]
