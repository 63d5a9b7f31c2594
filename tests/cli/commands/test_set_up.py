"""`bertmt init`, `fetch`, `presets`, `recipe`, `doctor`: what a newcomer types first."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

from bertmt.drawing.styled import cells
from bertmt.recipe.loading import presets
from bertmt.recipe.recipe import SETTINGS


def test_init_writes_defaults_that_queue_takes_and_the_command_line_wins(
    bertmt: Callable[..., Outcome], folder: Path
) -> None:
    outcome = bertmt("init", "--data", "toy", "--encoder", "tiny", "--set", "epochs=3")
    assert outcome.code == 0
    assert "sst-train: 2,000 examples" in outcome.out
    assert tomllib.loads((folder / "bertmt.toml").read_text()) == {"data": "toy", "encoder": "tiny", "epochs": 3}
    arguments = ("queue", "--preset", "sst-only", "--dry-run", "--json")
    recipe = json.loads(bertmt(*arguments).out)["runs"][0]["recipe"]
    assert (recipe["data"], recipe["encoder"], recipe["epochs"]) == ("toy", "tiny", 3)
    recipe = json.loads(bertmt(*arguments, "--set", "epochs=1").out)["runs"][0]["recipe"]
    assert recipe["epochs"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name what to make a default"),
        (["--data", "nowhere"], "nowhere"),
        (["--set", "lora.rank=4"], "is a toggle"),
        (["--set", "epochs=0"], "at least 1"),
        (["--set", "nonsense=0"], "not a setting"),
        (["--extra-data", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_init_refuses_what_cannot_be_used_and_writes_nothing(
    bertmt: Callable[..., Outcome], folder: Path, arguments: list[str], said: str
) -> None:
    outcome = bertmt("init", *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert list(folder.iterdir()) == []


def test_init_tells_every_problem_in_one_message(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt(
        "init", "--data", "no-data", "--extra-data", "no-pairs", "--set", "epochs=0", "--set", "lora.rank=4",
        "--set", "extra_data=true", "--set", "nonsense=1", "--set", "batch_size",
    )  # fmt: skip
    words = (
        "--set expects", "`lora.rank` is a toggle", "`extra_data` is a toggle", "`epochs` must be at least 1",
        "`nonsense` is not a setting", "data folder", "extra pairs",
    )  # fmt: skip
    lines = outcome.err.splitlines()
    assert (outcome.code, outcome.out, len(lines)) == (2, "", len(words)), outcome.err
    assert all(word in line for word, line in zip(words, lines, strict=True)), outcome.err
    assert list(folder.iterdir()) == []


def test_a_toggle_that_init_refuses_makes_no_further_problem(bertmt: Callable[..., Outcome], folder: Path) -> None:
    lines = bertmt("init", "--data", "no-data", "--set", "extra_data=true").err.splitlines()
    assert len(lines) == 2 and "is a toggle" in lines[0] and "data folder" in lines[1]


def test_init_takes_a_folder_that_holds_one_task_and_says_what_is_missing(
    bertmt: Callable[..., Outcome], folder: Path, real_data: Path
) -> None:
    for name in ("sts-train.csv", "sts-dev.csv"):
        (folder / name).write_bytes((real_data / name).read_bytes())
    outcome = bertmt("init", "--data", ".")
    assert outcome.code == 0
    assert "sts-train: 6,040 examples" in outcome.out
    assert "ids-sst-train.csv" in outcome.err


def test_init_says_that_an_encoder_is_not_there_yet(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("init", "--encoder", "bert-base-uncased")
    assert outcome.code == 0
    assert "`bertmt fetch bert-base-uncased`" in outcome.err


def test_fetch_of_what_needs_none_is_a_usage_error(bertmt: Callable[..., Outcome], folder: Path) -> None:
    assert bertmt("fetch", "tiny").code == 2


def test_presets_lists_every_preset_in_one_line_with_the_papers_scores(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = bertmt("presets").out.splitlines()
    rows = {line.split()[0]: line for line in lines[1 : 1 + len(presets())]}
    assert set(rows) == set(presets())
    assert rows["baseline"].split()[1:5] == ["2-4", "0.483", "0.782", "0.352"]
    assert rows["final"].split()[1:5] == ["1", "0.531*", "0.861*", "0.858*"], "the paper's test set"
    assert max(map(cells, lines)) <= 80


def test_a_printed_recipe_is_toml_and_changes_as_told(bertmt: Callable[..., Outcome], folder: Path) -> None:
    recipe = tomllib.loads(bertmt("recipe", "--preset", "final", "--set", "epochs=4").out)
    assert (recipe["epochs"], recipe["lora"]["rank"], recipe["ensembling"]) == (4, 200, True)
    assert "alpha" not in recipe["lora"], "left open, so that it follows the rank"
    assert bertmt("recipe", "--set", "lora.rank=4", "--set", "lora.alpha=9").out.count("\nalpha = 9.0") == 1


def test_keys_lists_every_setting_with_its_bounds(bertmt: Callable[..., Outcome], folder: Path) -> None:
    out = bertmt("recipe", "--keys").out
    assert all(f"{name} " in out for name in SETTINGS)
    row = next(line for line in out.splitlines() if line.startswith("head_dropout"))
    assert row.split() == ["head_dropout", "toggle", "0.2", "float", "≥", "0", "≤", "0.9"]
    assert len(json.loads(bertmt("recipe", "--keys", "--json").out)["settings"]) == len(SETTINGS)


def test_doctor_ends_with_1_where_there_is_a_problem(bertmt: Callable[..., Outcome], folder: Path) -> None:
    assert bertmt("doctor").code == 0
    (folder / "bertmt.toml").write_text('data = "gone"\n')
    outcome = bertmt("doctor")
    assert outcome.code == 1
    assert "PROBLEM" in outcome.out
    assert "problems were found" in outcome.err
    assert json.loads(bertmt("doctor", "--json").out)["checks"]
