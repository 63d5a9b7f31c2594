"""What planned runs can show, judged by what has finished."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from bertmt.comparison.effects import variance_over_examples
from bertmt.comparison.intervals import detectable_with
from bertmt.comparison.several_seeds.more_seeds import detectable_over
from bertmt.comparison.verdicts import LEVEL
from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs, forget
from bertmt.services.analysis.effects.influences import ReadInfluences
from bertmt.services.analysis.groups.noise import noise_floors
from bertmt.services.analysis.groups.power import NOTHING_KNOWN, no_power, power_of, prospects
from bertmt.services.browse.run_list import RunList
from bertmt.services.plan.submit import Plan

FIVE = (11, 12, 13, 14, 15)


def test_five_seeds_show_what_their_spread_and_the_examples_of_two_recipes_allow(
    seeds: Database, listed: RunList, planned: Callable[..., Plan]
) -> None:
    found = power_of(seeds, listed, planned("final-shared", FIVE))
    assert (found.seeds, found.rows, found.is_least) == (5, 4, False)
    runs = {(run.name, run.seed): run for run in all_runs(seeds)}
    floors = noise_floors(listed, runs["plain", 0], ["sst", "overall"])
    read = ReadInfluences(seeds)
    # The newest two recipes share three seeds.
    pairs = [read.of_pair(runs["mnr", seed], runs["lora", seed], "sst") for seed in range(3)]
    over_examples = variance_over_examples([np.stack([pair[1] for pair in pairs if pair is not None])], 3)
    expected = detectable_over(5, floors["sst"].difference, over_examples, LEVEL / 4)
    assert found.smallest["SST"] == pytest.approx(expected)
    assert set(found.smallest) == {"SST", "PARA", "STS ρ", "overall"}
    assert found.rests_on == 15
    assert "5 seeds of each find 4 times in 5, after Holm over 4 comparisons" in found.sentence()


def test_more_seeds_show_less_and_more_recipes_more(
    seeds: Database, listed: RunList, planned: Callable[..., Plan]
) -> None:
    five, ten = (power_of(seeds, listed, planned("final-shared", tuple(range(10, 10 + count)))) for count in (5, 10))
    assert ten.smallest["SST"] < five.smallest["SST"]
    swept = planned("final-shared", FIVE)
    other = planned("shared-encoder", FIVE)
    both = power_of(seeds, listed, Plan(swept.request, (*swept.runs, *other.runs), ()))
    assert both.rows == 8 and both.smallest["SST"] > five.smallest["SST"]


def test_one_run_is_judged_by_the_examples_in_which_two_runs_differ(
    seeds: Database, listed: RunList, planned: Callable[..., Plan]
) -> None:
    found = power_of(seeds, listed, planned("final-shared"))
    runs = {(run.name, run.seed): run for run in all_runs(seeds)}
    pair = ReadInfluences(seeds).of_pair(runs["lora", 0], runs["mnr", 0], "sst")
    assert pair is not None
    error = math.sqrt(float(pair[1] @ pair[1]) / 60 / 59)
    assert found.smallest["SST"] == pytest.approx(detectable_with(error, LEVEL / 4))
    assert "these trained models" in found.sentence() and "5 of each" in found.sentence()


def test_seeds_that_have_finished_count_and_four_cannot_decide(
    seeds: Database, listed: RunList, planned: Callable[..., Plan]
) -> None:
    assert power_of(seeds, listed, planned("baseline", (8, 9))).seeds == 8, "six have finished"
    few = power_of(seeds, listed, planned("final-shared", (1, 2, 3, 4)))
    assert few.smallest == {} and few.sentence() == "4 seeds of each cannot decide anything; 5 can."


def test_another_scale_or_an_empty_registry_tells_nothing(
    seeds: Database, listed: RunList, planned: Callable[..., Plan]
) -> None:
    for strange in (planned("final-shared", FIVE, epochs="3"), planned("final-shared", epochs="3")):
        found = power_of(seeds, listed, strange)
        assert (found.smallest, found.sentence(), found.rests_on) == ({}, NOTHING_KNOWN, 0)
    assert no_power(planned("final-shared", FIVE)).sentence() == NOTHING_KNOWN


def test_without_predictions_the_effect_may_be_larger_and_that_is_said(
    seeds: Database, planned: Callable[..., Plan]
) -> None:
    for run in all_runs(seeds):
        if run.name != "plain":
            forget(seeds, run.key)
    listed = RunList(seeds)
    listed.refresh()
    found = power_of(seeds, listed, planned("final-shared", FIVE))
    assert found.is_least and "or more, since what the dev examples add is not known yet" in found.sentence()


def test_where_the_predictions_of_one_task_lack_the_effect_may_be_larger_too(
    seeds: Database, listed: RunList, planned: Callable[..., Plan]
) -> None:
    seeds.execute("DELETE FROM predictions WHERE task = 'sts'")
    found = power_of(seeds, listed, planned("final-shared", FIVE))
    assert found.is_least and "or more, since what the dev examples add" in found.sentence()


def test_the_time_stands_beside_it(seeds: Database, listed: RunList, planned: Callable[..., Plan]) -> None:
    previewed, power = prospects(seeds, listed, planned("final-shared", FIVE))
    assert len(previewed.estimate.seconds) == 5 and power.seeds == 5
