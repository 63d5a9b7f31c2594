"""One word for one thing: docs/architecture.md, "Words"."""

import ast
import re
from itertools import pairwise

# second word -> the project's word
SECOND_WORDS = {
    "experiment": "run",
    "trial": "run",
    "job": "run",
    "hyperparameter set": "recipe",
    "config": "recipe",
    "configuration": "recipe",
    "daemon": "worker",
    "scheduler": "worker",
    "backlog": "queue",
    "tracking store": "registry",
}
WORD = re.compile(rf"\b({'|'.join(SECOND_WORDS)})s?\b(?!\.json)", re.IGNORECASE)
PLURAL = re.compile(r" (runs|epochs|steps|seeds|workers|batches)\b")
# Numbers before a plural that are never 1, or are none: all others go through `numbers.counted`.
NEVER_ONE = {
    ("bertmt/services/browse/lookup.py", "runs"),  # of one name, of which one must be chosen
    ("bertmt/services/lifecycle/bulk.py", "runs"),
    ("bertmt/services/analysis/arms.py", "runs"),  # that differ
    ("bertmt/services/analysis/comparison_formatting.py", "steps"),  # –
    ("bertmt/comparison/seeds.py", "seeds"),
    ("bertmt/drawing/charts/series.py", "steps"),  # a fault of ours, told to nobody
    ("bertmt/tasks/embedded/sentiment.py", "runs"),  # the verb
    ("bertmt/training/steps/tally.py", "batches"),  # "1 of 1 batches"
}
NOT_IN_NAMES = {"experiment", "trial", "job", "jobs", "daemon"}
# The kind of program that this is has a name that people search for.
KIND = re.compile(r"\bexperiment manager\b", re.IGNORECASE)


def second_words(text):
    return sorted({match[1].lower() for match in WORD.finditer(KIND.sub("", text))})


def texts(source):
    """The string constants of a file with their lines: help, messages and docstrings among them."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def test_what_the_front_ends_say_uses_the_projects_words(program):
    speaking = [source for source in program if source.in_package("bertmt/cli", "bertmt/services", "tui")]
    found = [
        f"{source.name}:{line} {words}"
        for source in speaking
        for line, text in texts(source)
        if (words := second_words(text))
    ]
    assert found == []


def test_what_is_defined_is_named_in_the_projects_words(program):
    found = []
    for source in program:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                words = re.findall(r"[A-Z]?[a-z]+", node.name)
                found += [f"{source.name}:{node.lineno} {node.name}" for word in words if word.lower() in NOT_IN_NAMES]
    assert found == []


def test_there_is_no_number_before_a_plural_that_may_be_one(program):
    found = set()
    for source in program:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.JoinedStr):
                for number, text in pairwise(node.values):
                    noun = PLURAL.match(text.value) if isinstance(text, ast.Constant) else None
                    if noun and isinstance(number, ast.FormattedValue):
                        found.add((source.name, noun[1]))
    assert found == NEVER_ONE


def test_the_pages_for_users_use_the_projects_words(repository):
    pages = [repository / "README.md", *(repository / "docs").glob("cli.md")]
    assert {page.name: second_words(page.read_text(encoding="utf-8")) for page in pages} == {
        page.name: [] for page in pages
    }


def test_the_words_are_defined_in_the_architecture(repository):
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    for word in {*SECOND_WORDS.values(), "attempt", "scale"}:
        assert f"**{word}**" in page
