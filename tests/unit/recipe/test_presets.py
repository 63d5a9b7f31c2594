"""Every preset against its row of docs/paper.md, and the table itself against the expectations below."""

import re
from pathlib import Path
from typing import Any

import pytest
from present import present

from bertmt.errors import NotFoundError
from bertmt.recipe.loading import differences, matching_preset, preset, presets
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import conflicts, remarks, resolved
from bertmt.recipe.settings import Role

PAPER_PAGE = Path(__file__).resolve().parents[3] / "docs" / "paper.md"

LORA_200 = {"lora.rank": 200}
TWO_LAYERS = {"head.sst.layers": 2, "head.para.layers": 2}  # 100 wide, which is the default width
ALL_EXTENSIONS = {
    **LORA_200,
    **TWO_LAYERS,
    "super_concat": True,
    "extra_data": True,
    "pearson": True,
    "mnr": True,
    "cosine_embedding": True,
}
# Read by hand from docs/paper.md: what each model changes in the baseline, and nothing else.
REPORTED = {
    "baseline": {},
    "baseline-each": {"epoch": "each", "schedule": "alternate"},
    "multi-layer": {"tasks": ("sst",), "head.sst.layers": 4, "head.sst.hidden": 768, "epochs": 9},
    "ensembled": {"tasks": ("sst",), "ensembling": True, "head.sst.layers": 3, "head.sst.hidden": 70},
    "lora-fied": {"tasks": ("para",), "lora.rank": 100, "head.para.layers": 2, "head.para.hidden": 10},
    "big-data": {"tasks": ("para",), "extra_data": True, "super_concat": True, "head.para.layers": 2, **LORA_200},
    "cosine": {"tasks": ("sts",), "cosine_embedding": True},
    "neg-cosine": {"tasks": ("sts",), "cosine_embedding": True, "mnr": True},
    "pearson": {"tasks": ("sts",), "pearson": True},
    "shared-encoder": {**TWO_LAYERS, **LORA_200},
    "separate-encoders": {**TWO_LAYERS, **LORA_200, "ensembling": True},
    "lora-r20": {"tasks": ("sts",), "mnr": True, "lora.rank": 20},
    "lora-r100": {"tasks": ("sts",), "mnr": True, "lora.rank": 100},
    "lora-r150": {"tasks": ("sts",), "mnr": True, "lora.rank": 150},
    "lora-r200": {"tasks": ("sts",), "mnr": True, "lora.rank": 200},
    "lora-r300": {"tasks": ("sts",), "mnr": True, "lora.rank": 300},
    **{f"lora-r{rank}-all": {"mnr": True, "lora.rank": rank} for rank in (20, 100, 150, 200, 300)},
    "pearson-cosine": {"tasks": ("sts",), "pearson": True, "cosine_embedding": True},
    "pearson-mnr": {"tasks": ("sts",), "pearson": True, "mnr": True},
    "pearson-cosine-mnr": {"tasks": ("sts",), "pearson": True, "cosine_embedding": True, "mnr": True},
    "pearson-cosine-all": {"pearson": True, "cosine_embedding": True},
    "pearson-mnr-all": {"pearson": True, "mnr": True},
    "pearson-cosine-mnr-all": {"pearson": True, "cosine_embedding": True, "mnr": True},
    "final": {**ALL_EXTENSIONS, "ensembling": True},
}
CONTROLS = {
    "sst-only": {"tasks": ("sst",)},
    "para-only": {"tasks": ("para",)},
    "sts-only": {"tasks": ("sts",)},
    "ensembled-off": {"tasks": ("sst",), "head.sst.layers": 3, "head.sst.hidden": 70},
    "neg": {"tasks": ("sts",), "mnr": True},
    "final-shared": ALL_EXTENSIONS,
    "pearson-all": {"pearson": True},
}
SECOND_READINGS = {"baseline-each", *(name for name in REPORTED if name.endswith("-all"))}
EXPECTED = REPORTED | CONTROLS
NAMES = sorted(EXPECTED)
# As bertmt had them before there were toggles that the paper does not have: stored runs are known by these.
DIGESTS = {
    "baseline": "95efbb26f3757a0f",
    "multi-layer": "86935a5e52256477",
    "ensembled": "d8f5880814de2b58",
    "lora-fied": "c27808e76a47d740",
    "big-data": "7894f8435fc8b5f6",
    "cosine": "906b42c6908ca518",
    "neg-cosine": "f8297f105d8fcccd",
    "pearson": "4b2e72857bd862db",
    "shared-encoder": "9e4e3825911f7362",
    "separate-encoders": "39388349e76f8fa8",
    "lora-r20": "11e278c3c17dea33",
    "lora-r100": "85945902beb3712c",
    "lora-r150": "5714dbcb48ca67f4",
    "lora-r200": "bec34bb268281885",
    "lora-r300": "888a33fb5fc10fe7",
    "pearson-cosine": "61ad99472b890452",
    "pearson-mnr": "7a3363d022f23ffe",
    "pearson-cosine-mnr": "18b1747eaa9e7a3f",
    "final": "c342670d6f55779f",
    "sst-only": "b9ce7f9da146174f",
    "para-only": "684abe02bc8e6542",
    "sts-only": "83d84d54d165a4ad",
    "ensembled-off": "60a096af0cb09a8d",
    "neg": "d386e222c804432a",
    "final-shared": "6dae0b627b4b84b6",
}


def names_in_paper_page() -> tuple[list[str], list[Any]]:
    """The presets of the table of models, its one range written out, and of the sentence on controls."""
    page = PAPER_PAGE.read_text(encoding="utf-8")
    section = page.partition("## The models that it reports")[2].partition("\n## ")[0]
    reported = []
    for cell in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE):
        if "…" in cell:
            ranks = present(re.search(r"r ∈ \{([^}]+)\}", section))[1]
            all_tasks = "-all" if "-all" in cell else ""
            reported += [f"lora-r{rank.strip()}{all_tasks}" for rank in ranks.split(",")]
        else:
            reported.append(cell.strip("`"))
    sentence = section.partition("Controls of ours")[2].partition("That makes")[0]
    outside_brackets = re.sub(r"\([^)]*\)", "", sentence)
    return reported, re.findall(r"`([^`]+)`", outside_brackets)


def test_there_are_19_reported_models_9_second_readings_and_7_controls() -> None:
    assert (len(REPORTED) - len(SECOND_READINGS), len(SECOND_READINGS), len(CONTROLS), len(presets())) == (19, 9, 7, 35)
    assert (
        "makes 19 reported models, 9 second readings of some of them, 7 controls and 35 presets"
        in PAPER_PAGE.read_text(encoding="utf-8")
    )


def test_the_presets_are_exactly_the_rows_of_the_paper_page() -> None:
    reported, controls = names_in_paper_page()
    assert reported == list(REPORTED)
    assert controls == list(CONTROLS)
    assert set(presets()) == set(reported) | set(controls)


def test_presets_come_in_the_papers_order_with_controls_last() -> None:
    assert list(presets()) == list(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_changes_what_its_row_says_and_nothing_else(name: str) -> None:
    changed = differences(preset(name).recipe(), Recipe())
    assert {setting: new for setting, (_, new) in changed.items()} == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_valid_and_found_again_by_its_toggles(name: str) -> None:
    recipe = preset(name).recipe()
    assert conflicts(recipe) == []
    assert matching_preset(recipe) == name
    assert matching_preset(resolved(recipe)) == name


@pytest.mark.parametrize("name", NAMES)
def test_seed_encoder_and_budget_do_not_take_a_run_out_of_its_preset(name: str) -> None:
    scaled = preset(name).recipe().with_values({"seed": 7, "encoder": "minilm", "epochs": 2, "batch_size": 16})
    assert matching_preset(scaled) == name


@pytest.mark.parametrize("name", DIGESTS)
def test_no_later_toggle_changes_the_digest_of_a_preset(name: str) -> None:
    assert resolved(preset(name).recipe()).digest() == DIGESTS[name]


def test_no_two_presets_are_the_same() -> None:
    toggles = [frozenset(resolved(each.recipe()).toggles().items()) for each in presets().values()]
    assert len(set(toggles)) == len(presets())


def test_a_changed_toggle_takes_a_run_out_of_its_preset() -> None:
    assert matching_preset(preset("final").recipe().with_values({"lora.rank": 16})) is None


def test_a_constant_of_a_loss_that_is_off_leaves_a_run_in_its_preset() -> None:
    assert matching_preset(Recipe().with_values({"mnr_scale": 20.0})) == "baseline"


def test_only_the_multi_layer_model_has_another_budget() -> None:
    budgets = {name: preset(name).recipe().epochs for name in NAMES}
    assert {name for name, epochs in budgets.items() if epochs != 10} == {"multi-layer"}
    for name in NAMES:
        own = {"epoch"} if name == "baseline-each" else {"epochs"}
        assert set(differences(preset(name).recipe(), Recipe(), [Role.SCALE])) <= own


def test_ensembling_on_one_task_is_said_to_change_nothing() -> None:
    assert any("byte for byte" in remark for remark in remarks(preset("ensembled").recipe()))


def test_an_unknown_preset_gets_the_nearest_name() -> None:
    with pytest.raises(NotFoundError, match="did you mean `pearson`"):
        preset("person")


@pytest.mark.parametrize("name", sorted(SECOND_READINGS - {"baseline-each"}))
def test_a_figure_read_with_all_tasks_differs_from_its_first_reading_in_the_tasks_alone(name: str) -> None:
    assert set(differences(preset(name).recipe(), preset(name.removesuffix("-all")).recipe())) == {"tasks"}


def test_the_order_of_pretraining_makes_another_method_only_where_there_is_one() -> None:
    for name in ("final", "neg-cosine"):
        assert matching_preset(preset(name).recipe().with_values({"pretraining_order": "cosine_first"})) is None
    assert matching_preset(preset("neg").recipe().with_values({"pretraining_order": "cosine_first"})) == "neg"


def test_the_lora_controls_differ_from_each_other_in_the_rank_alone() -> None:
    for rank in (20, 100, 150, 300):
        assert set(differences(preset(f"lora-r{rank}").recipe(), preset("lora-r200").recipe())) == {"lora.rank"}
