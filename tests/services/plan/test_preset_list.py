"""Presets of a user's own, beside the registry."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import BusyError, NotFoundError, RecipeError, UsageError
from bertmt.recipe.loading import presets
from bertmt.services.plan.preset_list import broken_presets, known_preset, known_presets, save_preset
from bertmt.services.plan.recipes import chosen_recipe, own_values
from bertmt.services.plan.submit import Request, plan

TOY = {"data": "toy", "encoder": "tiny"}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(folder: Path, name: str, preset: str | None = None, force: bool = False, **values: str) -> Path:
    recipe = chosen_recipe(preset, None, None, values, folder)
    return save_preset(folder, name, recipe, own_values(preset, None, None, values, folder), "what it is", force)[1]


def test_a_saved_preset_holds_what_differs_from_the_baseline_and_nothing_of_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text('data = "toy"\nepochs = 3\n')
    file = save(tmp_path, "mine", "lora-r20", pearson="true", surgery="true")
    assert tomllib.loads(file.read_text()) == {
        "summary": "what it is",
        "recipe": {"tasks": ["sts"], "mnr": True, "lora": {"rank": 20}, "pearson": True},
    }


def test_it_is_listed_behind_the_built_in_ones_and_queued_by_its_name(tmp_path: Path) -> None:
    values: dict[str, Any] = {"pearson": "true", "head.sst.layers": "2", "tasks": "sst,sts"}
    save(tmp_path, "mine", "lora-r20", **values)
    found = known_presets(tmp_path)
    assert list(found) == [*presets(), "mine"] and found["mine"].own and not found["baseline"].own
    [run] = plan(Request(preset="mine", values=TOY, folder=tmp_path)).runs
    assert (run.name, run.preset) == ("mine", None)
    assert (run.recipe.lora.rank, run.recipe.pearson, run.recipe.value("head.sst.layers")) == (20, True, 2)
    assert chosen_recipe("mine", None, None, {}, tmp_path).lora.rank == 20


def test_without_a_folder_there_are_only_the_built_in_ones(tmp_path: Path) -> None:
    save(tmp_path, "mine")
    assert list(known_presets(tmp_path / "elsewhere")) == list(presets())
    with pytest.raises(NotFoundError, match="No preset is called 'mine'"):
        plan(Request(preset="mine", values=TOY))


@pytest.mark.parametrize("name", ["baseline", "../x", "", ".hidden", "a b", "x" * 65])
def test_names_that_cannot_be_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"is a built-in preset|--save expects a name"):
        save(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_there_stays_unless_one_says_so(tmp_path: Path) -> None:
    save(tmp_path, "mine", pearson="true")
    with pytest.raises(BusyError, match="--force replaces it"):
        save(tmp_path, "mine")
    save(tmp_path, "mine", force=True)
    assert known_presets(tmp_path)["mine"].values == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipe = ]", r"mine\.toml is no TOML file"),
        ("nonsense = 1", r"mine\.toml: a preset has"),
        ("recipe = 1", "`summary`"),
    ],
)
def test_a_broken_one_is_said_where_it_is_named_and_hinders_nobody_else(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.toml").write_text(text)
    (tmp_path / "presets" / "baseline.toml").write_text("[recipe]\npearson = true")
    assert list(known_presets(tmp_path)) == list(presets())
    assert "has the name of a built-in preset" in broken_presets(tmp_path)["baseline"]
    assert not known_preset(tmp_path, "baseline").own
    with pytest.raises(UsageError, match=said):
        plan(Request(preset="mine", values=TOY, folder=tmp_path))


def test_one_that_names_a_task_that_is_not_known_is_refused_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.toml").write_text('[recipe]\ntasks = ["sst", "gone"]')
    assert "mine" in known_presets(tmp_path)
    with pytest.raises(RecipeError, match="`tasks` must be one of sst, para, sts, but is 'gone'"):
        plan(Request(preset="mine", values=TOY, folder=tmp_path))
