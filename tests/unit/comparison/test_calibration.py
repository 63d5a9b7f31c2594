"""A sample of `make calibrate`, always the same one: nothing that compares keeps its level by luck of the wording."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest

from bench.calibration import effects, examples, mcnemar_sizes, metrics, real_predictions, seeds, slices, two_way
from bench.calibration.populations import Exchanged, Sample, UnequalNoise
from bertmt.comparison.proportions import EXACT_UP_TO

SAMPLES = 100
REAL = real_predictions.read()
NO_DIFFERENCE = (Exchanged(REAL), UnequalNoise(REAL), UnequalNoise(REAL, every_other=True))


def most(share: float, samples: int) -> float:
    """What a binomial count with this share exceeds in one sample of a thousand."""
    return samples * share + 3.1 * math.sqrt(samples * share * (1 - share))


@pytest.fixture(scope="module", params=NO_DIFFERENCE, ids=lambda population: population.name)
def tally(request: pytest.FixtureRequest) -> examples.Tally:
    return examples.no_difference(request.param, 1, SAMPLES, 800, seed=0)


@pytest.mark.parametrize("score", ["sst", "para", "sts", "overall"])
def test_equally_good_runs_seldom_differ(tally: examples.Tally, score: str) -> None:
    assert tally.wrong[score] <= most(0.05, tally.tried[score])


def test_a_family_of_four_rows_seldom_holds_a_wrong_verdict(tally: examples.Tally) -> None:
    assert tally.family <= most(0.05, tally.samples)


@pytest.mark.parametrize("score", ["sst", "para", "sts", "overall"])
def test_intervals_hold_the_true_difference(tally: examples.Tally, score: str) -> None:
    assert tally.tried[score] - tally.covered[score, 0.05] <= most(0.06, tally.tried[score])


def first_200(population: metrics.OfTask) -> metrics.OfTask:
    """The same with 200 examples at most."""

    def draw(rng: np.random.Generator) -> Sample:
        drawn = population.draw(rng)
        return Sample(drawn.labels[:200], drawn.predicted[:, :200])

    return dataclasses.replace(population, draw=draw)


@pytest.mark.parametrize("metric", ["f1", "matthews", "macro_f1", "spearman"])
def test_equally_good_runs_seldom_differ_by_any_metric_and_its_interval_holds_that(metric: str) -> None:
    named = "in one run" if metric == "spearman" else "errs in its own way"
    population = next(
        each for each in metrics.populations(REAL) if each.task.metrics == (metric,) and named in each.name
    )
    samples = 100 if metric == "spearman" else 200
    row = metrics.no_difference(first_200(population), samples, 400, seed=1)
    assert (row.n, row.samples) == (200, samples)
    assert row.wrong <= most(0.05, samples)
    assert samples - row.covered <= most(0.06, samples)
    assert row.wrong > 0 and row.covered < samples, "a procedure that decides nothing"


def test_williams_alone_would_not_keep_its_level_where_noise_grows() -> None:
    # What the permutation is there for; if this fails, the population no longer tests anything.
    found = examples.no_difference(UnequalNoise(REAL), 1, SAMPLES, 100, seed=1)
    assert found.wrong["williams"] > most(0.06, found.tried["williams"])


def test_the_population_has_no_true_difference() -> None:
    rng = np.random.default_rng(0)
    for population in NO_DIFFERENCE:
        scores = []
        for _ in range(60):
            drawn = population.sample(2, rng)["sts"]
            scores.append([np.corrcoef(drawn.labels, each)[0, 1] for each in drawn.predicted])
        differences = np.subtract(*np.array(scores).T)
        assert abs(differences.mean()) < 4 * differences.std() / math.sqrt(60)


@pytest.mark.parametrize("rows", [1, 4, 12])
def test_a_difference_of_the_printed_size_is_found_about_4_times_in_5(rows: int) -> None:
    found = examples.class_power("SST", 1101, 0.3, rows, 400, seed=rows)
    assert 0.72 <= found.found <= 0.9
    found = examples.similarity_power(REAL, rows, 60, 2400, seed=rows)
    assert 0.6 <= found.found <= 0.97


@pytest.mark.parametrize("population", ["normal", "one seed in ten collapses"])
@pytest.mark.parametrize(("sizes", "paired", "rows"), [((8, 8), True, 4), ((10, 10), True, 12), ((5, 5), False, 4)])
def test_arms_of_equally_good_seeds_seldom_differ(
    population: str, sizes: tuple[int, int], paired: bool, rows: int
) -> None:
    found = seeds.no_difference(population, sizes, paired, rows, 300, seed=0)
    assert found.wrong * found.samples * rows <= most(0.06, found.samples * rows)
    assert found.family * found.samples <= most(0.05, found.samples)


@pytest.mark.parametrize("task", ["sst", "sts"])
def test_no_slice_of_equally_good_runs_differs_and_scores_by_slice_are_held(task: str) -> None:
    found = slices.no_difference(REAL, task, 40, 300, seed=0)
    assert found.slices > 10 and 0 < found.wrong <= most(0.06, found.rows)
    assert found.rows - found.covered <= most(0.06, found.rows)
    assert found.family <= most(0.05, found.samples)
    one = slices.one_run(REAL, task, 40, 300, seed=0)
    assert one.rows - one.covered <= most(0.06, one.rows)
    assert one.family <= most(0.06, one.samples)


@pytest.mark.parametrize("pairs", [2, 5])
def test_a_toggle_without_an_effect_seldom_has_one(pairs: int) -> None:
    found = effects.no_effect(pairs, effects.OF_PAIR, effects.OF_EXAMPLE, 100, seed=0)
    rows = found.samples * effects.ROWS
    assert found.wrong * rows <= most(0.05, rows)
    assert found.family * found.samples <= most(0.05, found.samples)


def test_over_pairs_alone_a_toggle_that_moves_examples_would_seem_to_have_an_effect() -> None:
    # What the second way is there for; if this fails, the population no longer tests anything.
    found = effects.no_effect(10, 0.0, effects.OF_EXAMPLE, 100, seed=0)
    assert (1 - found.over_pairs) * found.samples * effects.ROWS > 2 * most(0.05, found.samples * effects.ROWS)


@pytest.mark.parametrize("level", [0.05, 0.05 / 4, 0.05 / 12])
def test_the_used_p_of_mcnemar_exceeds_no_level_by_more_than_a_fifth_and_the_mid_p_does(level: float) -> None:
    sizes = map(partial(mcnemar_sizes.used_size, level=level), range(1, 600))
    assert max(sizes) <= 1.2 * level
    too_large = [flips for flips in range(1, 600) if mcnemar_sizes.mid_p_size(flips, level) > 1.2 * level]
    assert 5 in too_large or 7 in too_large or 8 in too_large
    assert max(too_large) <= EXACT_UP_TO


def test_at_level_0_05_the_mid_p_is_too_ready_at_14_numbers_of_flips() -> None:
    too_large = [flips for flips in range(1, 401) if mcnemar_sizes.mid_p_size(flips, 0.05) > 0.06]
    assert (len(too_large), max(too_large)) == (14, 93)
    assert mcnemar_sizes.mid_p_size(16, 0.05) == pytest.approx(0.077, abs=5e-4)


@pytest.mark.parametrize(("of_seeds", "of_seed", "of_example"), [(5, 0.0, 0.0), (5, 0.05, 1.0), (8, 0.2, 0.0)])
def test_paired_seeds_on_common_examples_seldom_differ_where_the_recipes_do_not(
    of_seeds: int, of_seed: float, of_example: float
) -> None:
    found = two_way.no_difference(of_seeds, of_seed, of_example, 60, 300, seed=3)
    rows = found.samples * two_way.ROWS
    assert found.wrong * rows <= most(0.05, rows)
    assert found.family * found.samples <= most(0.05, found.samples)
    assert (1 - found.covered) * rows <= most(0.06, rows)
    assert (1 - found.improvement_covered) * rows <= most(0.06, rows)
