"""The winner of a search on the half of dev that it was chosen by, and on the other: simulated where truth is known."""

import math

import numpy as np
import pytest

from bertmt.comparison.held_out import Halves, best_of, held_out_mask, importance, standard_error

# The mean of the largest of so many standard normal numbers: Harter 1961, "Expected values of normal order
# statistics", Biometrika 48:151, table 1.
LARGEST_OF = {2: 0.56419, 10: 1.53875, 20: 1.86748}
TRUTH, EXAMPLES, SEARCHES = 0.7, 1000, 1500
IDS = [f"example-{number}" for number in range(EXAMPLES)]


def searched(recipes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What winners of equally good recipes score on the half they were chosen by, and on the other: (SEARCHES,)."""
    rng = np.random.default_rng(seed)
    mask = held_out_mask(IDS)
    found = []
    for _ in range(SEARCHES):
        right = rng.random((recipes, EXAMPLES)) < TRUTH
        halves = [Halves(float(each[~mask].mean()), float(each[mask].mean())) for each in right]
        best = best_of(halves)
        assert best is not None
        found.append((best.halves.chosen_by, best.halves.held_out))
    chosen_by, held_out = np.array(found, dtype=float).T
    return chosen_by, held_out


@pytest.mark.parametrize("recipes", LARGEST_OF)
def test_of_equally_good_recipes_the_winners_score_is_optimistic_and_on_the_held_out_half_it_is_not(
    recipes: int,
) -> None:
    chosen_by, held_out = searched(recipes, seed=recipes)
    of_half = math.sqrt(TRUTH * (1 - TRUTH) / (EXAMPLES / 2))
    expected = LARGEST_OF[recipes] * of_half
    assert chosen_by.mean() - TRUTH == pytest.approx(expected, rel=0.08)
    four_errors = 4 * of_half / math.sqrt(SEARCHES)
    assert abs(held_out.mean() - TRUTH) < four_errors < expected / 4


def test_the_mask_is_about_half_and_of_each_example_the_same_whichever_others_there_are() -> None:
    mask = held_out_mask(IDS)
    assert abs(mask.sum() - EXAMPLES / 2) < 3 * math.sqrt(EXAMPLES / 4)
    some = np.random.default_rng(0).permutation(EXAMPLES)[:200]
    assert held_out_mask([IDS[place] for place in some]).tolist() == mask[some].tolist()


def test_the_mask_is_what_it_was_when_it_was_first_drawn() -> None:
    """By SHA-256 alone, so that any program can draw it: `printf a | sha256sum` ends in bb, d, 6, 4."""
    assert held_out_mask(["a", "b", "c", "d"]).tolist() == [True, True, False, False]


def test_the_best_is_the_first_of_equals_and_tells_what_the_halves_differ_in() -> None:
    recipes = [Halves(0.5, 0.4), Halves(0.8, 0.6), Halves(0.8, 0.9), Halves(None, 1.0), Halves(math.nan, 1.0)]
    best = best_of(recipes)
    assert best is not None and best.place == 1
    assert best.optimism == pytest.approx(0.2)
    assert best.easier == pytest.approx((0.1 + 0.2 - 0.1) / 3)


def test_where_nothing_has_a_score_there_is_no_winner() -> None:
    assert best_of([]) is None and best_of([Halves(None, None)]) is None


def test_the_standard_error_of_an_accuracy_is_that_of_a_share() -> None:
    right = np.arange(400) < 300

    def accuracy(places: dict[str, np.ndarray]) -> float:
        return float(right[places["sst"]].mean())

    found = standard_error(accuracy, {"sst": 400})  # type: ignore[arg-type]
    assert found == pytest.approx(math.sqrt(0.75 * 0.25 / 400), rel=0.1)


def test_what_goes_with_a_setting_of_numbers_is_its_rank_correlation() -> None:
    found = importance([1, 10, 100, 1000], [0.1, 0.2, 0.3, 0.9])
    assert found.rank_correlation == pytest.approx(1) and found.size == pytest.approx(1)
    assert importance([3, 1, 2, 4], [0.1, 0.3, 0.2, 0.0]).rank_correlation == pytest.approx(-1)


def test_what_goes_with_a_setting_of_words_is_its_share_of_the_variance() -> None:
    # Between the groups 4 · 0.1² = 0.04, within them 4 · 0.1² = 0.04.
    found = importance(["mean", "mean", "cls", "cls"], [0.2, 0.4, 0.4, 0.6])
    assert found.share == pytest.approx(1 - (0.04 / 2) / (0.08 / 3))
    assert importance([True, True, False, False], [0.5, 0.5, 0.5, 0.5]).share is None


def test_words_that_tell_nothing_have_no_share_however_many_they_are() -> None:
    assert importance(["a", "b", "c", "d"], [0.1, 0.2, 0.3, 0.4]).share is None, "each has its own"
    assert importance(["a", "b", "a", "b"], [0.1, 0.1, 0.2, 0.21]).share == 0.0
    rng = np.random.default_rng(0)
    shares = [importance(list("aabbccdd"), list(rng.normal(size=8))).share or 0.0 for _ in range(300)]
    assert np.mean(shares) < 0.25, "of eta squared it is 3 / 7"


def test_of_three_recipes_nothing_is_said() -> None:
    assert importance([1, 2, 3, 4], [0.1, None, 0.2, 0.3]).size == 0.0
