"""docs/tasks.md: what it tells people to type works, and its tables are what the program knows."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from made_tasks import write_made_tasks

from bertmt.tasks.known_sources import KNOWN_SOURCES
from bertmt.tasks.task import METRICS, Task

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tasks.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_command_of_the_page_works(bertmt: Callable[..., Outcome], folder: Path, page: str) -> None:
    write_made_tasks(folder)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        program, *words = shlex.split(line)
        outcome = bertmt(*words)
        assert (program, outcome.code) == ("bertmt", 0), f"{line}: {outcome.err}"
    saved = next(words for words in re.findall(r"`bertmt (recipe [^`]*--save[^`]*)`", page))
    assert bertmt(*saved.split()).code == 0
    assert bertmt("queue", "--preset", "mine", "--data", "toy", "--encoder", "tiny", "--dry-run").code == 0


def test_the_table_of_the_hub_is_what_is_known(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\d,]+) \| ([\d,]+) \| (.*) \|$", page, re.MULTILINE)
    found = {name: (int(train.replace(",", "")), int(dev.replace(",", "")), by) for name, train, dev, by in rows}
    assert found == {
        name: (known.train, known.dev, METRICS[known.metric].title) for name, known in KNOWN_SOURCES.items()
    }


def test_every_key_of_a_definition_is_explained(page: str) -> None:
    section = page.partition("## The definition")[2].partition("\n## ")[0]
    keys = set(Task.__struct_fields__) - {"name", "extra_pairs", "course", "grammar", "source"}
    assert {key for key in keys if f"`{key}`" not in section} == set()
    assert {name for name in METRICS if f"`{name}`" not in section} == set()
