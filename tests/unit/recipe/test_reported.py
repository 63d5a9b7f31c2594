"""The reported figures and claims against docs/paper.md, row by row, and against themselves."""

import re
from pathlib import Path
from typing import Any

import pytest
from present import present

from bertmt.recipe.loading import differences, preset, presets
from bertmt.recipe.reported import (
    Claim,
    Pair,
    claims,
    claims_about,
    figures,
    reported_confusion,
    reported_overall,
    reported_scores,
    reported_size,
)
from bertmt.recipe.rules import conflicts
from bertmt.recipe.settings import Role
from bertmt.tasks.builtin import BUILTIN

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "paper.md").read_text(encoding="utf-8")
LORA_RANKS = (20, 100, 150, 200, 300)


def section(title: str) -> str:
    return PAGE.partition(f"## {title}")[2].partition("\n## ")[0]


def table(text: str) -> list[Any]:
    """The rows of the Markdown tables in a text, as lists of cells, heads and rules left out."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    ruled = [index for index, row in enumerate(rows) if set("".join(row)) <= set("-:")]
    return [row for index, row in enumerate(rows) if index not in ruled and index + 1 not in ruled]


def models_in_page() -> dict[Any, Any]:
    """preset -> (figure, split, scores) of the table of models, its range of LoRA ranks written out."""
    found: dict[Any, Any] = {}
    for name, figure, _, *scores in table(section("The models that it reports").partition("The abstract gives")[0]):
        all_tasks = "-all" if "-all" in name else ""
        names = [f"lora-r{rank}{all_tasks}" for rank in LORA_RANKS] if "…" in name else [name.strip("`")]
        number = present(re.match(r"[\d–]+", figure))[0].replace("–", "-")
        split = "test" if "test set" in figure else "dev"
        values = [None if score == "–" else float(score) for score in scores]
        found |= dict.fromkeys(names, (number, split, dict(zip(BUILTIN, values, strict=True))))
    return found


def test_every_score_of_the_page_is_in_the_toml_and_the_other_way_round() -> None:
    reported = {name: reported_scores(name) for name in presets()}
    in_toml = {name: (each.figure, each.split, each.scores) for name, each in reported.items() if each}
    assert in_toml == models_in_page()


def test_the_presets_name_the_same_figures_as_the_page() -> None:
    page = {name: figure for name, (figure, _, _) in models_in_page().items()}
    assert {name: each.figure for name, each in presets().items() if each.figure} == page


def test_controls_and_unknown_names_have_no_reported_scores() -> None:
    controls = [name for name, each in presets().items() if each.figure is None]
    assert [reported_scores(name) for name in [*controls, "no-such-preset"]] == [None] * 8


@pytest.mark.parametrize("rank", LORA_RANKS)
def test_a_lora_rank_has_no_scores_but_says_that_200_is_best(rank: int) -> None:
    for name in (f"lora-r{rank}", f"lora-r{rank}-all"):
        row = reported_scores(name)
        assert set(present(row).scores.values()) == {None}
        assert "r=200 is best" in present(row).note


def test_the_abstracts_overall_stands_beside_what_the_parts_give() -> None:
    overall, note = reported_overall()
    scores = present(reported_scores("final")).scores
    with_s = (present(scores["sst"]) + present(scores["para"]) + (1 + present(scores["sts"])) / 2) / 3
    with_rho = sum(present(score) for score in scores.values()) / 3
    assert f"{overall} overall" in PAGE
    assert (f"{with_s:.3f}", f"{with_rho:.3f}") == ("0.774", "0.750")
    assert f"{with_s:.3f}" in note and f"{with_rho:.3f}" in note


def test_figure_9_is_the_pages_and_cannot_be_figure_1s() -> None:
    rates = reported_confusion()
    [page] = table(section("The models that it reports").partition("by true\nclass:")[2])
    shown = [rates.true_positive, rates.false_negative, rates.true_negative, rates.false_positive]
    assert [float(cell) for cell in page] == shown
    assert rates.true_positive + rates.false_negative == rates.true_negative + rates.false_positive == 1
    # Rounded to two digits, accuracy is below max(TP, TN) + 0.005 at any class share (decision 16).
    highest = max(rates.true_positive, rates.true_negative) + 0.005
    assert f"at most {highest:.3f}" in rates.note
    assert highest < present(present(reported_scores("final")).scores["para"])


def test_the_claims_are_the_pages() -> None:
    page = {row[0].strip("`"): row for row in table(section("The claims"))}
    assert list(page) == [claim.id for claim in claims()]
    for claim in claims():
        _, where, paper, own, scores = page[claim.id]
        assert (where, scores) == (claim.section, ", ".join(task.upper() for task in claim.tasks))
        assert (paper, own) == (shown_pairs(claim.paper), shown_pairs(claim.own))


def shown_pairs(pairs: tuple[Pair, ...]) -> str:
    if len(pairs) > 1:
        all_tasks = "-all" if pairs[0].changed.preset.endswith("-all") else ""
        assert {pair.changed.command() for pair in pairs} == {f"lora-r200{all_tasks}"}
        controls = [f"lora-r{rank}{all_tasks}" for rank in LORA_RANKS if rank != 200]
        assert [pair.control.command() for pair in pairs] == controls
        return f"each other rank of Figure 6{', all tasks' if all_tasks else ''} → `lora-r200{all_tasks}`"
    return f"`{pairs[0].control.command()}` → `{pairs[0].changed.command()}`"


CLAIM_IDS = [claim.id for claim in claims()]


@pytest.mark.parametrize("claim", claims(), ids=CLAIM_IDS)
def test_our_pair_changes_one_toggle_and_nothing_of_the_scale(claim: Claim) -> None:
    for pair in claim.own:
        control, changed = pair.control.recipe(), pair.changed.recipe()
        assert conflicts(control) + conflicts(changed) == []
        toggles = {name.removesuffix(".hidden").removesuffix(".layers") for name in differences(changed, control)}
        assert len(toggles) == 1
        assert not differences(changed, control, [Role.SCALE, Role.RUNTIME])


@pytest.mark.parametrize("claim", claims(), ids=CLAIM_IDS)
def test_our_pair_trains_the_tasks_that_the_claim_is_about(claim: Claim) -> None:
    for pair in claim.own:
        assert set(claim.tasks) <= set(pair.control.recipe().tasks) & set(pair.changed.recipe().tasks)


@pytest.mark.parametrize("claim", claims(), ids=CLAIM_IDS)
def test_a_papers_pair_with_several_changes_is_shown_as_confounded(claim: Claim) -> None:
    changes = [differences(pair.changed.recipe(), pair.control.recipe()) for pair in claim.paper]
    if any(len(each) > 1 for each in changes):
        assert claim.confounded
    if any("tasks" in each for each in changes):
        assert claim.confounded.startswith("tasks") and 19 in claim.decisions


CONTRADICTED_BY_ITS_OWN_FIGURES = {
    "ensembling-in-final", "cosine-beside-pearson", "cosine-beside-pearson-all", "lora-shared-encoder",
}  # fmt: skip


@pytest.mark.parametrize("claim", claims(), ids=CLAIM_IDS)
def test_a_claim_follows_from_the_papers_own_figures_unless_decision_20_says_not(claim: Claim) -> None:
    agrees = True
    for pair in claim.paper:
        for task in claim.tasks:
            control, changed = (
                present(reported_scores(arm.preset)).scores[task] for arm in (pair.control, pair.changed)
            )
            if control is None or changed is None:
                assert claim.id in ("rank-200", "rank-200-all")
                continue
            direction = "higher" if changed > control else "lower" if changed < control else "equal"
            agrees &= direction == claim.says if claim.says != "not higher" else direction != "higher"
    assert agrees == (claim.id not in CONTRADICTED_BY_ITS_OWN_FIGURES)
    if not agrees:
        assert 20 in claim.decisions


def test_decisions_are_numbered_1_to_29_and_claims_cite_those() -> None:
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", section("Where the paper is unclear"), re.MULTILINE)]
    assert numbers == list(range(1, 30))
    assert {number for claim in claims() for number in claim.decisions} <= set(numbers)


def test_an_arm_reads_as_what_one_types() -> None:
    arm = next(claim for claim in claims() if claim.id == "linear-layers").own[0].control
    assert arm.command() == "sst-only --set epochs=9"
    assert arm.recipe() == preset("sst-only").recipe().with_values({"epochs": 9})


def test_claims_about_a_preset_begin_with_those_about_its_own_score() -> None:
    # By hand from docs/paper.md: 6.3.3 is about pearson-cosine beside pearson; then it is the control of all three.
    assert [each.id for each in claims_about("pearson-cosine")] == ["cosine-beside-pearson", "mnr-beside-both"]
    assert [each.id for each in claims_about("lora-r20")] == ["rank-200"]
    assert claims_about("para-only") == ()
    assert {each.id for preset in presets() for each in claims_about(preset)} == {each.id for each in claims()}


def test_a_pair_of_one_task_and_all_has_the_passes_an_epoch_named_as_confounded() -> None:
    """At full size an epoch lasts for one pass of PARA: 283,010 / 8,544 passes of SST, 283,010 / 6,040 of STS."""
    passes = {"sst": round(283_010 / 8_544), "sts": round(283_010 / 6_040)}
    assert passes == {"sst": 33, "sts": 47}
    for claim in claims():
        for pair in claim.paper:
            sides = [set(arm.recipe().tasks) for arm in (pair.control, pair.changed)]
            if sides[0] != sides[1] and claim.tasks != ("para",):  # of which there is one pass in both
                [task] = claim.tasks
                assert str(passes[task]) in claim.confounded and f"{task.upper()} pass" in claim.confounded
                assert 27 in claim.decisions


def test_no_claim_is_about_super_concat_alone() -> None:
    for claim in claims():
        for pair in claim.own:
            assert "super_concat" not in differences(pair.changed.recipe(), pair.control.recipe())
    assert "29. That super concat raises PARA is no claim of the paper" in PAGE


def test_every_reported_model_stands_in_the_figures_that_its_preset_names() -> None:
    for name, each in presets().items():
        found = [figure.number for figure in figures() if name in figure.models]
        first, _, last = (each.figure or "0").partition("-")
        named = list(range(int(first), int(last or first) + 1)) if each.figure else []
        assert [number for number in found if number < 8] == named, name
    assert [figure.number for figure in figures()] == list(range(1, 11))


def test_every_reported_score_stands_in_a_figure_of_its_task() -> None:
    for name in presets():
        reported = reported_scores(name)
        for task, score in (reported.scores if reported else {}).items():
            shown = [
                each for each in figures() if each.shows == "scores" and name in each.models and task in each.tasks
            ]
            assert bool(shown) == (score is not None), (name, task)


def test_the_sizes_are_the_pages() -> None:
    for (task, _, _, sizes, _), name in zip(table(section("Tasks, data, scores")), BUILTIN, strict=True):
        counts = [int(each) for each in re.findall(r"\d+", sizes.partition("(")[0].replace(",", ""))]
        assert task == name.upper()
        assert counts == [reported_size(name, split) for split in ("train", "dev", "test")]
