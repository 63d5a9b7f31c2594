"""Comparing runs that a stand-in child made: pairing, families, warnings."""

import json

import pytest

from bertmt.comparison.verdicts import Verdict
from bertmt.devices.slots import DeviceSlot
from bertmt.errors import BusyError, UsageError
from bertmt.queue.worker import Worker
from bertmt.registry.runs import all_runs, run_by_key
from bertmt.services.baseline import Baselines, choose_baseline
from bertmt.services.compare import arms_of, compare, effort
from bertmt.services.rows import Row


@pytest.fixture
def finished(database, add_run, stand_in_child):
    """Works the named runs and returns them finished."""

    def work(*names, **values):
        runs = [add_run(f"finish-{name}", **values) for name in names]
        Worker(database, [DeviceSlot("cpu", "cpu", 1)], lambda line: None, stand_in_child).work(drain=True)
        return [run_by_key(database, run.key) for run in runs]

    return work


def test_two_runs_are_paired_by_example(database, finished):
    first, second = finished("a", "b")
    comparison = compare(database, [[first], [second]])
    [result] = comparison.others[0].examples
    assert (result.task, result.n, result.difference, result.verdict) == ("sst", 10, 0.0, Verdict.UNDECIDED)
    assert comparison.recipe_differences == {}
    assert any("One run each" in sentence for sentence in comparison.warnings)


def test_a_better_run_is_fixed_and_broken_by_example(database, finished):
    first, second = finished("a", "b")
    # Epoch 0 has 2 of 10 right, epoch 1 has 7.
    database.execute("UPDATE summaries SET selected_epoch = 0, sst = 0.2 WHERE run = ?", (first.key,))
    [result] = compare(database, [[run_by_key(database, first.key)], [second]]).others[0].examples
    assert (result.fixed, result.broken, result.difference) == (5, 0, pytest.approx(0.5))
    assert result.low > 0


def test_arms_that_differ_in_scale_and_in_several_toggles_are_flagged(database, finished):
    [first] = finished("a")
    [second] = finished("b", epochs=3, surgery=False, **{"lora.rank": 8})
    comparison = compare(database, [[first], [second]])
    assert comparison.recipe_differences["lora.rank"] == (0, 8)
    text = " ".join(comparison.warnings)
    assert "differ in scale, not only in method: epochs" in text
    assert "2 toggles differ at once" in text, "the rank and surgery; the scale alpha only follows the rank"


def test_predictions_on_other_examples_are_not_paired(database, finished):
    first, second = finished("a", "b")
    database.execute("UPDATE predictions SET fingerprint = 'other' WHERE run = ?", (second.key,))
    comparison = compare(database, [[first], [second]])
    assert comparison.others[0].examples == ()
    assert any("different dev examples" in sentence for sentence in comparison.warnings)


def test_several_seeds_are_compared_by_seed(database, finished):
    arms = []
    for name, preset_name in (("a", "sst-only"), ("b", "multi-layer")):
        arms.append([run for seed in (1, 2, 3) for run in finished(name, preset_name=preset_name, epochs=1, seed=seed)])
    [result] = compare(database, arms).others[0].seeds
    assert result.seeds == (1, 2, 3)
    assert "Cannot reach 0.05 with 3 seeds" in result.remark


def test_a_name_that_covers_different_recipes_is_refused(database, finished):
    first, other = finished("a", "b")
    [odd] = finished("c", epochs=2)
    with pytest.raises(UsageError, match="different recipes"):
        compare(database, [[first], [other, odd]])


def test_runs_without_scores_and_too_few_runs_are_refused(database, add_run, finished):
    [first] = finished("a")
    with pytest.raises(BusyError, match="no scores yet"):
        compare(database, [[first], [add_run()]])
    with pytest.raises(UsageError, match="at least two"):
        compare(database, [[first]])
    with pytest.raises(UsageError, match="twice"):
        compare(database, [[first], [first]])


def test_effort_is_what_the_child_counted(database, finished):
    [run] = finished("a")
    assert effort(run) == {"steps": 20, "examples sst": 160, "passes sst": 1.0}
    assert json.loads(all_runs(database)[0].finished_json)["step"] == 20


def arms_of_runs(database, runs, apart=False):
    baselines = Baselines(database)
    return arms_of([Row(run, baselines.of(run)) for run in runs], apart)


def test_seeds_of_a_recipe_are_one_arm_and_the_oldest_goes_first(database, finish):
    other, first, second = finish("other", epochs=3), finish("same", seed=1), finish("again", seed=2)
    assert arms_of_runs(database, [second, other, first]) == [[other], [first, second]]
    assert arms_of_runs(database, [second, other, first], apart=True) == [[other], [first], [second]]
    assert arms_of_runs(database, [second, first]) == [[first], [second]], "one recipe alone: run by run"


def test_the_baseline_of_other_arms_is_their_reference(database, finish):
    older, newer = finish("older"), finish("newer", epochs=3)
    assert arms_of_runs(database, [older, newer]) == [[older], [newer]], "the scales differ: neither is a baseline"
    choose_baseline(database, newer)
    assert arms_of_runs(database, [older, newer]) == [[newer], [older]]
