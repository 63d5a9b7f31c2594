"""docs/own_ideas.md: its code and its commands work as they stand there, and its table is what a loss may ask for."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

PAGE = Path(__file__).resolve().parents[3] / "docs" / "own_ideas.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.mark.slow
def test_every_command_of_the_page_works_with_its_code(bertmt: Callable[..., Outcome], folder: Path, page: str) -> None:
    [code] = blocks(page, "python")
    (folder / "mine.py").write_text(code, encoding="utf-8")
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    assert len(lines) == 8
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "bertmt"
        if words[0] == "worker":  # which takes the place of the process that starts it
            subprocess.run([sys.executable, "-m", "bertmt", *words], cwd=folder, check=True, capture_output=True)
            continue
        outcome = bertmt(*words)
        assert outcome.code == 0, f"{line}: {outcome.err}"
    runs = {run["name"]: run for run in json.loads(bertmt("runs", "--json").out)["runs"]}
    assert {name: run["state"] for name, run in runs.items()} == dict.fromkeys(
        ("plain", "smoothed", "wide", "theirs"), "finished"
    )
    assert runs["theirs"]["scores"]["sst"] == runs["plain"]["scores"]["sst"]
    assert len({runs[name]["scores"]["overall"] for name in ("plain", "smoothed", "wide")}) == 3, (
        "they change something"
    )


def test_a_recipe_file_says_it_as_the_page_does(bertmt: Callable[..., Outcome], folder: Path, page: str) -> None:
    [code] = blocks(page, "python")
    (folder / "mine.py").write_text(code, encoding="utf-8")
    [losses] = re.findall(r"`(losses = \[.*?\])`", page)
    [module] = re.findall(r'`(module = "mine.py:WideHead")`', page)
    [table] = re.findall(r"`(\[head\.para\])`", page)
    (folder / "idea.toml").write_text(f"{losses}\n{table}\n{module}\n")
    outcome = bertmt("queue", "--file", "idea.toml", "--data", "toy", "--encoder", "tiny", "--hold")
    assert outcome.code == 0, outcome.err


def test_what_a_loss_may_ask_for_is_in_the_table(page: str) -> None:
    # Loading knows; it needs torch, which this process does without.
    source = (PAGE.parents[1] / "bertmt" / "own_code" / "loading.py").read_text(encoding="utf-8")
    [offered] = re.findall(r"^OFFERED = \((.*)\)$", source, re.MULTILINE)
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == re.findall(r'"(\w+)"', offered)
