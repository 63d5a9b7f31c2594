"""Presets of a user's own, beside the registry."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import BusyError, NotFoundError, RecipeError, UsageError
from bertmt.recipe.loading import presets
from bertmt.registry.file.opening import open_registry
from bertmt.services.browse.details import details_of
from bertmt.services.lifecycle.control import check_edited, store_edited
from bertmt.services.plan.preset_list import broken_presets, known_preset, known_presets, save_preset
from bertmt.services.plan.recipes import chosen_recipe, own_values
from bertmt.services.plan.submit import Request, plan, submit

TOY = {"data": "toy", "encoder": "tiny"}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(
    folder: Path, name: str, preset: str | None = None, force: bool = False, summary: str = "what it is", **values: str
) -> Path:
    recipe = chosen_recipe(preset, None, None, values, folder)
    return save_preset(folder, name, recipe, own_values(preset, None, None, values, folder), summary, force)[1]


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
    assert (run.name, run.preset) == ("mine", "mine")
    assert (run.recipe.lora.rank, run.recipe.pearson, run.recipe.value("head.sst.layers")) == (20, True, 2)
    assert chosen_recipe("mine", None, None, {}, tmp_path).lora.rank == 20


def test_a_run_is_of_the_preset_that_it_was_queued_from_where_several_are_equal(tmp_path: Path) -> None:
    for name in ("b", "a"):
        save(tmp_path, name, "lora-r20", pearson="true")
    save(tmp_path, "long", epochs="9")
    for name, equal in (("b", "b"), ("a", "a"), ("long", "baseline")):
        [run] = plan(Request(preset=name, values=TOY, folder=tmp_path)).runs
        assert run.preset == equal, "the built-in ones go first: the paper's figures are about them"
    [run] = plan(Request(preset="lora-r20", values={**TOY, "pearson": "true"}, folder=tmp_path)).runs
    assert run.preset == "a"


def test_details_tell_what_a_run_changes_against_its_own_preset(tmp_path: Path) -> None:
    save(tmp_path, "mine", "lora-r20", pearson="true")
    request = Request(preset="mine", values={**TOY, "lora.rank": "4"}, folder=tmp_path)
    with open_registry(tmp_path / "runs.db", create=True) as database:
        [run] = submit(database, plan(request))
        assert details_of(database, run).changes["lora.rank"] == (20, 4)
        edited = store_edited(database, run, check_edited(database, run, {"lora.rank": "20"}))
        assert edited.submission.preset == "mine" and not details_of(database, edited).changes
        (tmp_path / "presets" / "mine.toml").unlink()
        assert not details_of(database, run).changes


def test_one_without_a_summary_is_summed_up_by_what_it_changes(tmp_path: Path) -> None:
    save(tmp_path, "few", summary="", pearson="true", tasks="sst,sts", epochs="3")
    save(tmp_path, "none", summary="")
    save(tmp_path, "many", "final", summary="", epochs="3")
    found = known_presets(tmp_path)
    assert found["few"].summary == "the baseline with pearson=true, tasks=sst,sts, epochs=3"
    assert found["none"].summary == "as the baseline"
    assert found["many"].summary.count("=") == 4 and found["many"].summary.endswith(" more")


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
