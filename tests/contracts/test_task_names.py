"""A task is data: the paper's three have their names in their definitions, and in what is about the paper alone."""

import ast
import re
from collections.abc import Callable, Iterator

from source_files import Source

# In any case, as a word or a part of a compound: "SST", "para-extra", sst_head, "head.sts.layers".
NAME = re.compile(r"(?<![A-Za-z0-9])(?:sst|para|sts)(?![A-Za-z0-9])", re.IGNORECASE)
THE_PAPERS = (
    "bertmt/tasks/builtin",
    "bertmt/recipe/presets",
    "bertmt/recipe/reported.py",
    "bertmt/registry/file/schemas.py",  # what columns were called in older registries
    "bertmt/registry/migrations.py",  # what columns were called in older registries
    "bertmt/registry/file/older_recipes.py",
    "bertmt/tasks/known_sources.py",  # what data sets on the hub are called
    "bertmt/services/analysis/paper",
    "tui/screens/paper",
)


def words_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What is code and has a word in it: strings but docstrings, and names of everything; with their lines."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield line, node.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            yield line, node.value.decode("latin-1")
        for field in ("id", "attr", "arg", "name", "asname", "module", "rest"):
            word = getattr(node, field, None)
            if isinstance(word, str):
                yield line, word
        for word in getattr(node, "names", ()) if isinstance(node, ast.Global | ast.Nonlocal) else ():
            yield line, word
        if isinstance(node, ast.MatchClass):
            yield from ((line, word) for word in node.kwd_attrs)


def naming(sources: list[Source]) -> dict[str, list[int]]:
    """Lines of code that name one of the paper's tasks, by file, where they may not."""
    found: dict[str, set[int]] = {}
    for source in sources:
        if not source.in_package(*THE_PAPERS):
            for line, word in words_of(source.tree):
                if NAME.search(word):
                    found.setdefault(source.name, set()).add(line)
    return {name: sorted(lines) for name, lines in found.items()}


def test_no_code_asks_for_one_of_the_papers_tasks_by_name(program: list[Source]) -> None:
    assert naming(program) == {}


def test_a_task_that_is_named_in_code_would_be_found(planted: Callable[..., list[Source]]) -> None:
    lines = [
        '"""SST in a docstring is none."""',
        "# sst in a comment neither",
        'tasks = ("sst", "pa" "ra")',
        'title = f"{name} of PARA"',
        "about = scores.sts",
        "def sst_head(task): ...",
        "head(sts=1)",
        'key = {"para-extra": 1}',
        "from rooms import para",
        "import rooms.sst as room",
        'column = b"score_sts"',
        "parameters = assertions = separate = 1",
        'words = "parallel, steps, lists; sst2"',
        "class Sts: ...",
        "match task:\n case Task(sst=1): ...",
        "def of(task, *, para): ...",
    ]
    assert naming(planted({"bertmt/a.py": "\n".join(lines), "bertmt/tasks/builtin/__init__.py": "sst = 1"})) == {
        "bertmt/a.py": [3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 16, 17]
    }
