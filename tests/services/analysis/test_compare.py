"""Comparing runs that a stand-in child made: pairing, families, warnings."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from call_types import AddRun
from present import present
from stored_scores import store_scores

from bertmt.comparison.verdicts import Verdict, holm
from bertmt.devices.slots import DeviceSlot
from bertmt.drawing.styled import plain
from bertmt.errors import BusyError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, run_by_key
from bertmt.services.analysis.arms import Arm, arms_of, effort
from bertmt.services.analysis.comparability import about_code
from bertmt.services.analysis.compare import compare
from bertmt.services.analysis.comparison_formatting import format_differences, format_forest
from bertmt.services.browse.baseline import Baselines, choose_baseline
from bertmt.services.browse.rows import Row
from bertmt.worker.worker import Worker


@pytest.fixture
def scored(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """Adds a finished run of the baseline with scores, and with fingerprints of its data."""

    def add(name: Any, scores: Any, marks: Any = None, **values: Any) -> Run:
        run = add_run(name, "baseline", **values)
        marks = dict.fromkeys(("sst-dev", "para-dev", "sts-dev"), "same") if marks is None else marks
        database.execute(
            "UPDATE runs SET state = 'finished', fingerprints = ? WHERE key = ?", (json.dumps(marks), run.key)
        )
        store_scores(database, run.key, scores, selected_epoch=1)
        return run_by_key(database, run.key)

    return add


@pytest.fixture
def finished(database: Database, add_run: AddRun, stand_in_child: tuple[str, ...]) -> Callable[..., Any]:
    """Works the named runs and returns them finished."""

    def work(*names: Any, **values: Any) -> list[Any]:
        runs = [add_run(f"finish-{name}", **values) for name in names]
        Worker(database, [DeviceSlot("cpu", "cpu", 1)], lambda line: None, stand_in_child).work(drain=True)
        return [run_by_key(database, run.key) for run in runs]

    return work


def test_two_runs_are_paired_by_example(database: Database, finished: Any) -> None:
    first, second = finished("a", "b")
    comparison = compare(database, [[first], [second]])
    [result] = comparison.others[0].examples
    assert (result.task, result.n, result.difference, result.verdict) == ("sst", 10, 0.0, Verdict.UNDECIDED)
    assert comparison.recipe_differences == {}
    assert any("One run each" in sentence for sentence in comparison.warnings)


def test_a_better_run_is_fixed_and_broken_by_example(database: Database, finished: Any) -> None:
    first, second = finished("a", "b")
    # Epoch 0 has 2 of 10 right, epoch 1 has 7.
    store_scores(database, first.key, {"sst": 0.2}, selected_epoch=0)
    [result] = compare(database, [[run_by_key(database, first.key)], [second]]).others[0].examples
    assert (result.fixed, result.broken, result.difference) == (5, 0, pytest.approx(0.5))
    assert present(result.low) > 0


def test_arms_that_differ_in_scale_and_in_several_toggles_are_flagged(database: Database, finished: Any) -> None:
    [first] = finished("a")
    [second] = finished("b", epochs=3, surgery=False, **{"lora.rank": 8})
    comparison = compare(database, [[first], [second]])
    assert comparison.recipe_differences["lora.rank"] == (0, 8)
    text = " ".join(comparison.warnings)
    assert "differ in scale as well as method: epochs" in text
    assert "2 toggles differ at once" in text, "the rank and surgery; the scale alpha only follows the rank"


def test_several_seeds_are_compared_by_seed(database: Database, finished: Any) -> None:
    arms = []
    for name, preset_name in (("a", "sst-only"), ("b", "multi-layer")):
        arms.append([run for seed in (1, 2, 3) for run in finished(name, preset_name=preset_name, epochs=1, seed=seed)])
    [result] = compare(database, arms).others[0].seeds
    assert result.seeds == (1, 2, 3)
    assert "Cannot reach 0.05 with 3 seeds" in present(result.remark)


def test_a_name_that_covers_different_recipes_is_refused(database: Database, finished: Any) -> None:
    first, other = finished("a", "b")
    [odd] = finished("c", epochs=2)
    with pytest.raises(UsageError, match="different recipes"):
        compare(database, [[first], [other, odd]])


def test_of_many_runs_of_different_recipes_three_are_named(database: Database, scored: Callable[..., Run]) -> None:
    runs = [scored("many", {"sst": 0.5}, epochs=1 + number) for number in range(5)]
    with pytest.raises(UsageError, match=rf"\({', '.join(run.id for run in runs[:3])} and 2 more\): name ids"):
        compare(database, [[scored("other", {"sst": 0.5})], runs])


def test_runs_without_scores_and_too_few_runs_are_refused(database: Database, add_run: AddRun, finished: Any) -> None:
    [first] = finished("a")
    with pytest.raises(BusyError, match="no scores yet"):
        compare(database, [[first], [add_run()]])
    with pytest.raises(UsageError, match="at least two"):
        compare(database, [[first]])
    with pytest.raises(UsageError, match="twice"):
        compare(database, [[first], [first]])


def test_effort_is_what_the_child_counted(database: Database, finished: Any) -> None:
    [run] = finished("a")
    assert effort(run) == {"steps": 20, "examples sst": 160, "passes sst": 1.0}
    assert json.loads(present(all_runs(database)[0].progress.finished_json))["step"] == 20


def seeds_of(scored: Callable[..., Run], name: str, scores_by_seed: Any, **values: Any) -> list[Any]:
    return [scored(name, scores, seed=seed, **values) for seed, scores in scores_by_seed.items()]


def one_task(*scores: Any) -> dict[Any, Any]:
    """Scores of SST alone by seed, from 1 on."""
    return {seed: {"sst": score} for seed, score in enumerate(scores, 1)}


def test_two_runs_on_different_dev_examples_are_not_compared(database: Database, finished: Any) -> None:
    first, second = finished("a", "b")
    database.execute("UPDATE predictions SET fingerprint = 'other' WHERE run = ?", (second.key,))
    with pytest.raises(UsageError, match=r"Nothing.*SST is not compared: .*a \(.*b \(.* different dev examples"):
        compare(database, [[first], [second]])


def test_seeds_on_different_dev_examples_are_not_compared(database: Database, scored: Callable[..., Run]) -> None:
    old = seeds_of(scored, "old", one_task(0.4, 0.5))
    new = seeds_of(scored, "new", one_task(0.5, 0.6), marks={"sst-dev": "other"})
    with pytest.raises(UsageError, match="SST is not compared: old and new were evaluated on different dev examples"):
        compare(database, [old, new])


def test_an_arm_that_mixes_dev_examples_is_not_compared(database: Database, scored: Callable[..., Run]) -> None:
    old = seeds_of(scored, "old", one_task(0.4, 0.5))
    mixed = [*seeds_of(scored, "mixed", one_task(0.5)), scored("mixed", {"sst": 0.6}, {"sst-dev": "other"}, seed=2)]
    for arms in ([old, mixed], [mixed, old]):
        with pytest.raises(UsageError, match="the runs of mixed were evaluated on different dev examples"):
            compare(database, arms)


def test_the_first_dev_examples_are_not_all_of_them(database: Database, scored: Callable[..., Run]) -> None:
    arms = [seeds_of(scored, str(cut), one_task(0.4, 0.5), evaluate_examples=cut) for cut in (0, 100)]
    said = (
        r"0 and 100 were evaluated on different dev examples: 100 on the first 100 alone \(evaluate_examples\); "
        f"`bertmt queue --from {arms[1][0].id} --set evaluate_examples=0` makes a run on all"
    )
    for order in (arms, arms[::-1]):
        with pytest.raises(UsageError, match=said.partition("examples:")[2]):
            compare(database, order)
    with pytest.raises(UsageError, match=said):
        compare(database, arms)


def test_what_a_run_was_evaluated_on_must_be_known(database: Database, scored: Callable[..., Run]) -> None:
    old, lost = (seeds_of(scored, name, one_task(0.4, 0.5), marks=marks) for name, marks in (("old", None), ("x", {})))
    with pytest.raises(UsageError, match="what x was evaluated on is not known"):
        compare(database, [old, lost])


def test_a_task_on_other_dev_examples_is_left_out_and_the_others_are_compared(
    database: Database, scored: Callable[..., Run]
) -> None:
    scores = {seed: {"sst": 0.5, "para": 0.6} for seed in (1, 2)}
    marks = {"sst-dev": "a", "para-dev": "b"}
    old = seeds_of(scored, "old", scores, marks=marks)
    new = seeds_of(scored, "new", scores, marks=marks | {"sst-dev": "other"})
    comparison = compare(database, [old, new])
    assert [each.task for each in comparison.others[0].seeds] == ["para"]
    assert "SST is not compared: old and new were evaluated on different dev examples." in comparison.warnings
    assert comparison.others[0].side.scores["sst"] is None, "no mean of other examples beside the reference's"


def test_tasks_that_are_left_out_for_one_reason_share_a_sentence(
    database: Database, scored: Callable[..., Run]
) -> None:
    scores = {1: {"sst": 0.5, "para": 0.6}}
    arms = [seeds_of(scored, name, scores, marks=dict.fromkeys(("sst-dev", "para-dev"), name)) for name in "ab"]
    with pytest.raises(UsageError, match=r"compared\. SST, PARA are not compared: a \(\w+\) and b \(\w+\) were"):
        compare(database, arms)


def test_an_arm_on_other_dev_examples_does_not_keep_the_others_from_being_compared(
    database: Database, scored: Callable[..., Run]
) -> None:
    arms = [seeds_of(scored, name, one_task(0.4, 0.5), marks={"sst-dev": mark}) for name, mark in ("ax", "by", "cx")]
    comparison = compare(database, arms)
    assert [len(each.seeds) for each in comparison.others] == [0, 1]
    assert any(sentence.startswith("SST is not compared: a and b") for sentence in comparison.warnings)


@pytest.mark.parametrize("name, what", [("sst-train", "training examples"), ("para-extra", "extra pairs")])
def test_other_training_data_is_said_of_single_runs_and_of_seeds(
    database: Database, finished: Any, scored: Callable[..., Run], name: str, what: str
) -> None:
    runs = finished("a", "b")
    for run, mark in zip(runs, ("x", "y"), strict=True):
        marks = json.dumps({name: mark})
        database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (marks, run.key))
    single = compare(database, [[run_by_key(database, run.key)] for run in runs])
    assert sum(f"was trained on different {what} (finish-a" in sentence for sentence in single.warnings) == 1
    arms = [seeds_of(scored, arm, one_task(0.4, 0.5), marks={"sst-dev": "d", name: mark}) for arm, mark in ("px", "qy")]
    assert sum(f"different {what} (p against q)" in sentence for sentence in compare(database, arms).warnings) == 1


def test_many_runs_of_an_arm_on_other_training_data_are_three_and_how_many_more(
    database: Database, scored: Callable[..., Run]
) -> None:
    marks = [{"sst-dev": "d", "sst-train": "x" if seed else "y"} for seed in range(6)]
    mixed = [scored("p", {"sst": 0.5}, each, seed=seed) for seed, each in enumerate(marks)]
    other = seeds_of(scored, "q", one_task(0.4, 0.5), marks={"sst-dev": "d", "sst-train": "y"})
    ids = ", ".join(run.id for run in mixed[1:4])
    said = compare(database, [mixed, other]).warnings
    assert any(f"({mixed[0].id}, q against {ids} and 2 more)" in sentence for sentence in said), said


def test_the_same_training_data_is_no_news(database: Database, scored: Callable[..., Run]) -> None:
    arms = [seeds_of(scored, name, one_task(0.4, 0.5), marks={"sst-dev": "d", "sst-train": "t"}) for name in "pq"]
    assert not any("was trained on different" in sentence for sentence in compare(database, arms).warnings)


@pytest.mark.parametrize(
    "values, remark",
    [
        ({"select": "best"}, "selected its epoch on the dev set"),
        ({"early_stopping": 3}, "chose when to stop on the dev set"),
    ],
)
def test_scores_for_which_dev_was_looked_at_are_called_optimistic(
    database: Database, scored: Callable[..., Run], values: dict[str, str] | dict[str, int], remark: str
) -> None:
    arms = [seeds_of(scored, name, one_task(0.4, 0.5), **own) for name, own in (("plain", {}), ("looked", values))]
    said = [sentence for sentence in compare(database, arms).warnings if "optimistic" in sentence]
    assert said == [f"{run.id} (looked) {remark}, so its scores are optimistic." for run in arms[1]]


def test_single_runs_for_which_dev_was_looked_at_are_called_optimistic(database: Database, finished: Any) -> None:
    [plain_run], [looked] = finished("a"), finished("b", early_stopping=3)
    warnings = compare(database, [[plain_run], [looked]]).warnings
    assert [looked.id in sentence for sentence in warnings if "optimistic" in sentence] == [True]


def test_means_are_those_of_the_seeds_that_are_compared(database: Database, scored: Callable[..., Run]) -> None:
    """By hand: of seeds 1 and 2 the means are 0.40 and 0.50; seed 3 of one arm and seed 4 of the other play no part."""
    old = seeds_of(scored, "old", {1: {"sst": 0.3}, 2: {"sst": 0.5}, 3: {"sst": 0.9}})
    new = seeds_of(scored, "new", {1: {"sst": 0.45}, 2: {"sst": 0.55}, 4: {"sst": 0.1}})
    comparison = compare(database, [old, new])
    assert [(side.seeds, side.scores["sst"]) for side in comparison.sides] == [
        ((1, 2), pytest.approx(0.4)),
        ((1, 2), pytest.approx(0.5)),
    ]
    [result] = comparison.others[0].seeds
    assert (result.seeds, result.left_out) == ((1, 2), (3, 4))
    assert result.difference == pytest.approx(0.1) == pytest.approx(present(result.mean_b) - present(result.mean_a))
    text = " ".join(map(plain, format_differences(comparison.others[0], None)))
    assert "new, mean of 2 of 3 seeds − old, mean of 2 of 3 seeds" in text
    assert "0.400 → 0.500; by seed 1: +0.150, 2: +0.050; left out: 3, 4" in text


def test_overall_means_are_of_the_compared_seeds_too(database: Database, scored: Callable[..., Run]) -> None:
    whole = {"sst": 0.5, "para": 0.5, "sts": 0.0, "overall": 0.5}
    old = seeds_of(scored, "old", {1: whole, 2: whole, 3: whole | {"overall": 0.9}})
    new = seeds_of(scored, "new", {1: whole, 2: whole})
    comparison = compare(database, [old, new])
    assert [side.scores["overall"] for side in comparison.sides] == [0.5, 0.5]


def test_a_reference_of_which_arms_share_different_seeds_has_its_own_means_beside_each(
    database: Database, scored: Callable[..., Run]
) -> None:
    reference = seeds_of(scored, "reference", one_task(0.1, 0.2, 0.9))
    first = seeds_of(scored, "first", one_task(0.4, 0.4))
    second = seeds_of(scored, "second", {2: {"sst": 0.4}, 3: {"sst": 0.4}})
    comparison = compare(database, [reference, first, second])
    assert [each.reference.scores["sst"] for each in comparison.others] == [pytest.approx(0.15), pytest.approx(0.55)]
    assert comparison.sides[0].scores["sst"] == pytest.approx(0.4), "over all three: no one pair of seeds is meant"
    assert comparison.sides[0].seeds == (1, 2, 3)


def test_arms_without_a_common_seed_are_compared_whole_and_unpaired(
    database: Database, scored: Callable[..., Run]
) -> None:
    old, new = seeds_of(scored, "old", one_task(0.3, 0.5)), [scored("new", {"sst": 0.6}, seed=seed) for seed in (7, 8)]
    [against] = compare(database, [old, new]).others
    assert "0.400 → 0.600; not paired: seeds 1, 2 against 7, 8" in " ".join(
        map(plain, format_differences(against, None))
    )


def arms_of_runs(database: Database, runs: list[Any], apart: bool = False) -> list[list[Run]]:
    baselines = Baselines(database)
    return arms_of([Row(run, baselines.of(run)) for run in runs], apart)


def test_seeds_of_a_recipe_are_one_arm_and_the_oldest_goes_first(
    database: Database, finish: Callable[..., Run]
) -> None:
    other, first, second = finish("other", epochs=3), finish("same", seed=1), finish("again", seed=2)
    assert arms_of_runs(database, [second, other, first]) == [[other], [first, second]]
    assert arms_of_runs(database, [second, other, first], apart=True) == [[other], [first], [second]]
    assert arms_of_runs(database, [second, first]) == [[first], [second]], "one recipe alone: run by run"


def test_the_baseline_of_other_arms_is_their_reference(database: Database, finish: Callable[..., Run]) -> None:
    older, newer = finish("older"), finish("newer", epochs=3)
    assert arms_of_runs(database, [older, newer]) == [[older], [newer]], "the scales differ: neither is a baseline"
    choose_baseline(database, newer)
    assert arms_of_runs(database, [older, newer]) == [[newer], [older]]


def test_p_is_corrected_over_every_arm_that_is_shown_and_not_arm_by_arm(
    database: Database, scored: Callable[..., Run]
) -> None:
    def recipe(name: str, lift: float) -> list[Any]:
        return [
            scored(name, {"sst": 0.4 + seed / 100 + lift * (1 + seed / 50), "para": 0.7 + seed / 90}, seed=seed)
            for seed in range(7)
        ]

    arms = [recipe("plain", 0.0), recipe("one", 0.1), recipe("two", 0.2)]
    alone = compare(database, [arms[0], arms[1]]).others[0].seeds
    assert [(each.task, each.family, each.verdict) for each in alone] == [
        ("sst", 2, Verdict.BETTER),
        ("para", 2, Verdict.UNDECIDED),
    ]
    both = [each for against in compare(database, arms).others for each in against.seeds]
    assert [each.family for each in both] == [4] * 4
    assert [each.p_corrected for each in both] == pytest.approx(list(holm([each.p for each in both])))
    assert {each.verdict for each in both} == {Verdict.UNDECIDED}  # 4 · 2/2⁷ = 0.0625
    assert "8 paired seeds could." in present(both[0].remark)


def test_the_noise_floor_is_known_from_seeds_of_one_recipe_at_the_same_scale_and_data(
    database: Database, scored: Any
) -> None:
    base = [scored("base", {"sst": score, "para": 0.5}, seed=seed) for seed, score in enumerate((0.40, 0.44))]
    other = [scored("other", {"sst": score}, seed=seed, mnr=True) for seed, score in enumerate((0.60, 0.62, 0.64))]
    for seed, score in ((3, 0.99), (4, 0.01)):
        scored("other", {"sst": score}, seed=seed, mnr=True, marks={"sst-dev": "another"})
    scored("longer", {"sst": 0.10}, seed=0, epochs=9)
    scored("longer", {"sst": 0.90}, seed=1, epochs=9)
    found = compare(database, [base, other])
    # Squares within the recipes: 2 · 0.02² and 2 · 0.02² + 0, of 1 + 2 degrees of freedom.
    expected = (2 * (4 * 0.02**2) / 3) ** 0.5
    assert found.noise["sst"].difference == pytest.approx(expected)
    assert (found.noise["sst"].recipes, found.noise["sst"].seeds) == (2, 5)
    text = "\n".join(map(plain, format_forest(found, 120)))
    assert f"SST {expected:.3f}" in text and "from 5 seeds of 2 recipes" in text and "░" in text
    row = next(each for each in text.splitlines() if each.startswith("SST"))
    assert row.endswith("≈ undecided  needs 6 seeds"), row


def test_without_seeds_of_one_recipe_the_forest_says_that_it_knows_no_floor(database: Database, finished: Any) -> None:
    first, second = finished("a", "b", tasks=("sst",))
    found = compare(database, [[first], [second]])
    assert found.noise == {}
    text = " ".join(" ".join(map(plain, format_forest(found, 80))).split())
    assert "the registry has no two seeds of one recipe at this scale" in text and "░" not in text


def test_different_code_is_said_and_which_runs_had_it(database: Database, add_run: AddRun) -> None:
    runs = [add_run(name) for name in ("old", "new", "same")]
    assert about_code(database, [Arm((run,)) for run in runs]) == []
    for run, digest, source in zip(
        runs, ("d1", "d2", "d2"), ({"version": "1", "commit": "a" * 40}, *[{"version": "1", "commit": "b" * 40}] * 2),
        strict=True,
    ):  # fmt: skip
        with_code(database, run, digest, source)
    runs = [run_by_key(database, run.key) for run in runs]
    [said] = about_code(database, [Arm((runs[0],)), Arm(tuple(runs[1:]))])
    old, new, same = (f"{run.name} ({run.id})" for run in runs)
    assert f"(bertmt 1, commit {'a' * 12}: {old} against bertmt 1, commit {'b' * 12}: {new}, {same})" in said
    with_code(database, runs[0], "d3", {"version": "1", "commit": "b" * 40})
    [said] = about_code(database, [Arm((run_by_key(database, runs[0].key),)), Arm((runs[1],))])
    assert "code d3: old" in said and "code d2: new" in said, "told apart where version and commit are one"


def with_code(database: Database, run: Run, digest: str, source: dict[str, str]) -> None:
    columns = (digest, json.dumps(source), "{}")
    database.execute("INSERT OR IGNORE INTO snapshots (code_digest, source, environment) VALUES (?, ?, ?)", columns)
    where = "(SELECT key FROM snapshots WHERE code_digest = ? AND source = ? AND environment = ?)"
    database.execute(f"UPDATE runs SET snapshot = {where} WHERE key = ?", (*columns, run.key))
