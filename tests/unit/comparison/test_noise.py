"""What two seeds of one recipe differ by."""

import itertools
import math

import pytest

from bertmt.comparison.noise import noise_floor


def test_it_is_the_root_mean_square_over_all_pairs_of_seeds() -> None:
    scores = (0.40, 0.47, 0.43, 0.52)
    squares = [(a - b) ** 2 for a, b in itertools.combinations(scores, 2)]
    floor = noise_floor([scores])
    assert floor is not None
    assert floor.difference == pytest.approx(math.sqrt(sum(squares) / len(squares)))
    assert (floor.recipes, floor.seeds) == (1, 4)


def test_recipes_are_pooled_by_what_each_can_tell_and_their_levels_do_not_matter() -> None:
    # Within the first the variance is 0.02 of one degree of freedom, within the second 0 of two: 0.02 / 3 pooled.
    floor = noise_floor([(0.3, 0.5), (0.9, 0.9, 0.9), (0.1,)])
    assert floor is not None
    assert floor.difference == pytest.approx(math.sqrt(2 * 0.02 / 3))
    assert (floor.recipes, floor.seeds) == (2, 5)


def test_without_two_seeds_of_a_recipe_nothing_is_known() -> None:
    assert noise_floor([]) is None
    assert noise_floor([(0.5,), (0.7,), ()]) is None
