"""Words: the glossary, and numbers before their nouns."""

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from source_files import Source

PLURAL = re.compile(r" (runs|epochs|steps|seeds|workers|batches)\b")
# Numbers before a plural that are never 1, or are none: all others go through `numbers.counted`.
NEVER_ONE = {
    ("bertmt/services/browse/lookup.py", "runs"),  # of one name, of which one must be chosen
    ("bertmt/services/lifecycle/bulk.py", "runs"),
    ("bertmt/services/analysis/arms.py", "runs"),  # that differ
    ("bertmt/services/analysis/comparison_formatting.py", "steps"),  # –
    ("bertmt/services/browse/run_formatting.py", "steps"),  # per second
    ("bertmt/comparison/seeds.py", "seeds"),
    ("bertmt/services/browse/run_formatting.py", "steps"),  # steps/s: a unit
    ("bertmt/drawing/charts/series.py", "steps"),  # a fault of ours, told to nobody
    ("bertmt/tasks/embedded/sentiment.py", "runs"),  # the verb
    ("bertmt/training/steps/tally.py", "batches"),  # "1 of 1 batches"
}


def test_there_is_no_number_before_a_plural_that_may_be_one(program: list[Source]) -> None:
    found = set()
    for source in program:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.JoinedStr):
                for number, text in pairwise(node.values):
                    noun = PLURAL.match(str(text.value)) if isinstance(text, ast.Constant) else None
                    if noun and isinstance(number, ast.FormattedValue):
                        found.add((source.name, noun[1]))
    assert found == NEVER_ONE


def glossary(repository: Path) -> dict[Any, Any]:
    """Word to its synonyms."""
    page = (repository / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    return {word: synonyms.split(", ") for word, synonyms, _ in rows[2:]}


def test_the_glossary_explains_the_words_of_the_architecture(repository: Path) -> None:
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\*\*([\w ]+)\*\*", page.partition("## Words")[2].partition("## Rooms")[0]))
    assert len(words) > 8 and words <= set(glossary(repository))


def test_the_words_of_the_field_lead_to_ours(repository: Path) -> None:
    known = {synonym: word for word, synonyms in glossary(repository).items() for synonym in synonyms}
    expected = {"experiment": "run", "trial": "run", "job": "run", "config": "recipe", "scheduler": "worker"}
    assert {synonym: known[synonym] for synonym in expected} == expected


def test_help_says_what_a_run_is_called_elsewhere(repository: Path) -> None:
    page = (repository / "docs" / "cli.md").read_text(encoding="utf-8")
    assert "experiment, job or trial" in page.partition("### bertmt queue")[2].partition("### bertmt worker")[0]
