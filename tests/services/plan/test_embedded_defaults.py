"""A folder in which nobody named anything: the embedded data and encoder; everywhere else somebody is asked."""

from pathlib import Path
from typing import Any

import pytest
from encoder_folders import write_bert

from bertmt.errors import BertmtError
from bertmt.recipe.loading import to_toml
from bertmt.recipe.recipe import Recipe
from bertmt.services.plan.embedded import EMBEDDED, SAID
from bertmt.services.plan.submit import Request, plan
from bertmt.services.plan.user_settings import write_user_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty, on a machine without weights."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "BERTMT_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.mark.parametrize("name", ["baseline", "final"])
def test_with_nothing_named_a_preset_is_itself_on_the_embedded_data_and_that_is_said_first(name: str) -> None:
    planned = plan(Request(preset=name))
    [run] = planned.runs
    assert (run.data, run.recipe.encoder, run.preset) == ("toy", "tiny", name)
    assert {key: run.recipe.value(key) for key in EMBEDDED} == EMBEDDED
    assert planned.remarks[0] == SAID
    assert "`bertmt init --data DIR`" in SAID and "`bertmt fetch bert-base-uncased`" in SAID


def test_what_is_set_of_the_scale_wins() -> None:
    [run] = plan(Request(preset="baseline", values={"epochs": "1"})).runs
    assert (run.recipe.epochs, run.recipe.epoch_steps, run.data) == (1, EMBEDDED["epoch_steps"], "toy")


@pytest.mark.parametrize(
    "more",
    [
        {"values": {"encoder": "tiny"}},
        {"values": {"extra_data_file": "pairs.jsonl"}},
        {"values": {"data": "elsewhere"}},
        {"sweeps": ("encoder=tiny,minilm",)},
    ],
    ids=str,
)
def test_who_names_data_or_an_encoder_is_asked_for_the_rest(more: dict[str, Any]) -> None:
    with pytest.raises(BertmtError, match=r"No data is named|bert-base-uncased' was not found"):
        plan(Request(preset="baseline", **more))


def test_a_file_that_names_an_encoder_is_somebodys_choice(folder: Path) -> None:
    (folder / "mine.toml").write_text(to_toml(Recipe()))
    with pytest.raises(BertmtError, match="was not found"):
        plan(Request(file=folder / "mine.toml"))
    (folder / "mine.toml").write_text("pearson = true\n")
    assert plan(Request(file=folder / "mine.toml")).runs[0].data == "toy"


def test_where_there_are_defaults_nothing_is_chosen(folder: Path) -> None:
    write_user_settings(folder, {"epochs": 3})
    with pytest.raises(BertmtError, match="No data is named"):
        plan(Request(preset="baseline"))


def test_where_the_papers_encoder_is_at_hand_data_are_asked_for(tmp_path: Path) -> None:
    write_bert(tmp_path / "cache" / "encoders" / "bert-base-uncased")
    with pytest.raises(BertmtError, match="No data is named"):
        plan(Request(preset="baseline"))
