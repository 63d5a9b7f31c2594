"""Recipes of any tasks: their heads, old names of settings, digests, and the phases of pretraining."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bertmt.errors import RecipeError
from bertmt.recipe.groups import Head
from bertmt.recipe.loading import from_json, parse_assignments, parse_sweeps, preset, read_toml, to_json, to_toml
from bertmt.recipe.pretraining import Phase, label_of, phases
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import recipe_from, remarks, resolved
from bertmt.recipe.settings import Role
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Source, Task

COLA = Task(name="cola", title="CoLA", inputs="single", classes=("no", "yes"), metrics=("matthews",))
SICK = Task(name="sick", title="SICK", inputs="pair", range=(1, 5), metrics=("pearson",))
CLOSE = Task(name="close", title="Close", inputs="pair", range=(-1, 1), prediction="cosine", metrics=("spearman",))
PRICE = Task(name="price", title="Price", inputs="single", range=(0, 10), metrics=("pearson",))
KNOWN = {**BUILTIN, "cola": COLA, "sick": SICK, "close": CLOSE, "price": PRICE}
OWN = {"cola": COLA, "sick": SICK}


def recipe(known: Any = KNOWN, **values: Any) -> Recipe:
    return recipe_from({name.replace("__", "."): value for name, value in values.items()}, known=known)


# Which tasks


def test_a_recipe_names_any_task_that_is_known_in_the_order_of_the_known_ones() -> None:
    found = recipe(tasks="sick,cola,sts")
    assert found.tasks == ("sts", "cola", "sick")
    assert found.trained() == {"sts": BUILTIN["sts"], "cola": COLA, "sick": SICK}


def test_a_task_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        RecipeError, match=r"`tasks` must be one of sst, para, sts, cola, sick, close, price, but is 'co"
    ):
        recipe(tasks="sst,coal")


def test_without_a_definition_of_its_tasks_a_recipe_is_refused_in_a_sentence() -> None:
    with pytest.raises(
        RecipeError, match="`tasks` holds sst, para, sts, of which there is no definition; there are cola"
    ):
        from_json('{"pearson": true}', OWN)


def test_a_toggle_that_no_known_task_suits_is_refused_without_naming_any() -> None:
    with pytest.raises(
        RecipeError, match=r"`mnr` needs a task of pairs whose labels are numbers, but `tasks` is cola: add"
    ):
        recipe({"cola": COLA}, tasks="cola", mnr=True)


@pytest.mark.parametrize(
    ("toggle", "task", "other"),
    [
        ("pearson", "price", "cola"),
        ("mnr", "sick", "price"),
        ("cosine_embedding", "close", "price"),
        ("super_concat", "sick", "close"),
        ("extra_data", "para", "sick"),
    ],
)
def test_a_toggle_needs_a_task_of_its_kind_and_not_of_a_name(toggle: str, task: str, other: str) -> None:
    assert recipe(tasks=task, **{toggle: True}).value(toggle) is True
    with pytest.raises(RecipeError, match=f"`{toggle}` needs"):
        recipe(tasks=other, **{toggle: True})


# Heads


def test_settings_of_heads_are_those_of_the_tasks_that_have_one() -> None:
    names = [name for name in recipe(tasks="para,sts,cola,sick,close").flat() if name.startswith("head.")]
    assert names == [
        f"head.{task}.{leaf}" for task in ("para", "cola", "sick") for leaf in ("layers", "hidden", "module")
    ]


def test_a_head_of_any_task_is_set_and_survives_json_and_toml(tmp_path: Path) -> None:
    found = recipe(tasks="cola,sick", head__cola__layers=3, head__sick__hidden=7)
    assert found.head == {"cola": Head(layers=3), "sick": Head(hidden=7)}
    assert found.value("head.cola.layers") == 3 and found.value("head.sst.layers") == 1
    assert from_json(to_json(found), KNOWN) == found
    (tmp_path / "own.toml").write_text(to_toml(found))
    assert recipe_from(read_toml(tmp_path / "own.toml"), known=KNOWN) == found


def test_a_head_with_the_defaults_is_as_none() -> None:
    assert recipe(head__sst__layers=1) == recipe()
    assert recipe(head__sst__layers=2).with_values({"head.sst.layers": 1}) == recipe()


@pytest.mark.parametrize("value", [1, 2])
def test_a_head_of_no_task_is_refused(value: int) -> None:
    with pytest.raises(RecipeError, match=r"`head\.coal\.layers` is of no task; there are sst, para, sts, cola"):
        recipe(head__coal__layers=value)


@pytest.mark.parametrize(("task", "reason"), [("sts", "sts is predicted by a cosine"), ("cola", "cola is not trained")])
def test_a_head_that_has_nothing_to_do_is_said(task: str, reason: str) -> None:
    found = recipe(**{f"head.{task}.layers": 2})
    assert f"`head.{task}.layers` is ignored: {reason}." in remarks(found)
    assert found.toggles() == recipe().toggles() and found.digest() == recipe().digest()


def test_a_recipe_is_stored_with_the_heads_of_its_own_tasks_alone() -> None:
    stored = resolved(recipe(tasks="sick", head__cola__layers=2, head__sick__layers=2))
    assert stored.head == {"sick": Head(layers=2)}
    assert from_json(to_json(stored), {"sick": SICK}) == stored


def test_a_stored_recipe_with_heads_of_other_tasks_can_be_read() -> None:
    text = to_json(
        preset("final").recipe().with_values({"tasks": ("sts",), "super_concat": False, "extra_data": False})
    )
    assert '"head.sst.layers": 2' in text
    assert from_json(text, {"sts": BUILTIN["sts"]}).head == {}


# Old names


def test_old_names_of_head_settings_are_read_everywhere(tmp_path: Path) -> None:
    new = recipe(head__sst__layers=2, head__para__hidden=30)
    assert recipe_from(parse_assignments(["sst_head.layers=2", "para_head.hidden=30"])) == new
    assert from_json('{"sst_head.layers": 2, "para_head": {"hidden": 30}}') == new
    file = tmp_path / "old.toml"
    file.write_text("sst_head = { layers = 2 }\n\n[para_head]\nhidden = 30\n")
    assert recipe_from(read_toml(file)) == new
    assert parse_sweeps(["sst_head.layers=1,2"]) == parse_sweeps(["head.sst.layers=1,2"])
    assert parse_sweeps(["sst_head.layers=2"]) == [{"head.sst.layers": "2"}]


def test_the_old_name_of_no_task_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"`head\.coal\.layers` is of no task"):
        recipe_from({"coal_head.layers": 2})


# Digests


def test_a_digest_leaves_out_what_has_its_default() -> None:
    assert recipe_from(Recipe().flat()).digest() == Recipe().digest()


def test_a_digest_sees_every_working_setting_and_none_of_resilience() -> None:
    changed: dict[str, Any] = {
        "precision": "fp32", "evaluate_every": 2, "keep_model": False, "checkpoint_steps": 5, "checkpoint_minutes": 1,
        "requeue_lost": False, "activation_checkpointing": True, "deterministic": True, "batch_size": 4, "epochs": 3,
        "sampling": "annealed", "head.sst.layers": 2, "tasks": "sst,sts", "lora.rank": 4, "pearson": True,
    }  # fmt: skip
    for name, value in changed.items():
        same = recipe_from({name: value}).digest() == Recipe().digest()
        assert same == (SETTINGS[name].role is Role.RESILIENCE), name


def test_a_digest_depends_on_tasks_even_where_they_are_the_default() -> None:
    assert len({recipe(tasks=tasks).digest() for tasks in ("sst,para,sts", "sst", "cola", "cola,sick")}) == 4


def test_what_has_nothing_to_do_is_no_part_of_a_digest() -> None:
    assert recipe(mnr_scale=20).digest() == recipe().digest()
    assert recipe(mnr=True, mnr_scale=20).digest() != recipe(mnr=True).digest()


def test_a_task_that_is_defined_anew_is_another_recipe_and_one_that_moved_is_the_same() -> None:
    def digest(**changed: Any) -> str:
        return recipe({"cola": msgspec.structs.replace(COLA, **changed)}, tasks="cola").digest()

    source = Source(train="a.tsv", dev="b.tsv", text="text", label="label")
    assert digest(source=source, title="Other", data_set="elsewhere") == digest()
    assert digest(metrics=("accuracy",)) != digest() != digest(classes=("yes", "no"))
    builtin = recipe({"sst": BUILTIN["sst"]}, tasks="sst").digest()
    assert builtin == recipe(tasks="sst").digest()


# Pretraining


def test_with_one_task_of_similarities_phases_have_the_names_of_the_losses() -> None:
    found = phases(recipe(mnr=True, cosine_embedding=True))
    assert found == (
        Phase("mnr", "mnr", "sts", ("sts",)),
        Phase("cosine_embedding", "cosine_embedding", "sts", ("sts",)),
    )
    assert [each.name for each in phases(recipe(tasks="sick", mnr=True))] == ["mnr"]


def test_with_several_each_loss_trains_each_task_in_turn() -> None:
    found = phases(recipe(tasks="sts,cola,close,price", mnr=True, cosine_embedding=True))
    assert [each.name for each in found] == ["mnr.sts", "mnr.close", "cosine_embedding.sts", "cosine_embedding.close"]
    assert [each.task for each in found] == ["sts", "close"] * 2


def test_cosine_embedding_comes_first_where_the_recipe_says_so() -> None:
    found = phases(recipe(mnr=True, cosine_embedding=True, pretraining_order="cosine_first"))
    assert [each.name for each in found] == ["cosine_embedding", "mnr"]
    assert [each.name for each in phases(recipe(mnr=True, pretraining_order="cosine_first"))] == ["mnr"]


def test_without_a_pretraining_loss_there_are_no_phases() -> None:
    assert phases(recipe()) == ()


def test_thresholds_are_mapped_to_the_range_of_a_task() -> None:
    assert [label_of(threshold, BUILTIN["sts"]) for threshold in (1.0, 3.5, 4.0)] == [1.0, 3.5, 4.0]
    assert [label_of(threshold, SICK) for threshold in (0, 2.5, 5)] == [1, 3, 5]
    assert [label_of(threshold, CLOSE) for threshold in (0, 2.5, 5)] == [-1, 0, 1]
