"""Two classifiers on the same examples, against enumeration and published values."""

import math

import numpy as np
import pytest
from present import present
from scipy import stats

from bertmt.comparison.proportions import (
    EXACT_UP_TO,
    TangoInterval,
    detectable_difference,
    mcnemar,
    mcnemar_exact_p,
    mcnemar_mid_p,
)


def difference_interval(fixed: int, broken: int, n: int) -> tuple[float, float]:
    return TangoInterval(fixed, broken, n).at(0.05)


@pytest.mark.parametrize(("fixed", "broken"), [(7, 1), (0, 0), (5, 5), (0, 9), (30, 12)])
def test_mid_p_equals_the_sum_over_all_outcomes(fixed: int, broken: int) -> None:
    count, least = fixed + broken, min(fixed, broken)
    by_hand = sum(
        math.comb(count, k) / 2**count * (0.5 if k in (least, count - least) else 1)
        for k in range(count + 1)
        if k <= least or k >= count - least
    )
    assert mcnemar_mid_p(fixed, broken) == pytest.approx(by_hand if fixed != broken else 1.0)


@pytest.mark.parametrize(("fixed", "broken"), [(0, 0), (5, 5), (1, 7), (7, 1), (120, 131)])
def test_the_exact_p_is_the_binomial_tests(fixed: int, broken: int) -> None:
    expected = stats.binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert mcnemar_exact_p(fixed, broken) == pytest.approx(expected)


def test_the_exact_p_is_used_up_to_250_flips_and_the_mid_p_beyond() -> None:
    assert EXACT_UP_TO == 250
    assert mcnemar(100, 150) == (mcnemar_exact_p(100, 150), "exact McNemar")
    assert mcnemar(100, 151) == (mcnemar_mid_p(100, 151), "McNemar mid-p")


def test_mid_p_of_the_airway_study_is_the_published_one() -> None:
    # Fagerland, Lydersen & Laake 2013, table 2: 1, 1, 7, 12 children; mid-p 0.039.
    assert mcnemar_mid_p(1, 7) == pytest.approx(0.0391, abs=5e-5)


def test_the_interval_of_the_airway_study_is_the_published_one() -> None:
    # Fagerland, Lydersen & Laake 2014, Statistics in Medicine 33:2850: Tango's interval −0.517 to −0.026.
    assert difference_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize(("fixed", "broken", "n"), [(60, 31, 1101), (3, 1, 50), (1, 7, 21), (400, 320, 3000)])
def test_the_interval_solves_the_published_quartic(fixed: int, broken: int, n: int) -> None:
    # Yang, Sun & Hardin 2013, Statistics in Medicine 32:1336: Tango's limits as roots of a quartic.
    g = stats.norm.ppf(0.975) ** 2
    d, s = fixed - broken, fixed + broken
    quartic = [
        n**2 * (n / g + 1) ** 2,
        -n * d * (n / g + 1) * (4 * n / g + 1),
        2 * n * d**2 * (3 * n / g + 2) / g - n**2 * (s / g + 1),
        n * d * (2 * s / g + 1) - d**3 * (4 * n / g + 1) / g,
        d**2 * (d**2 / g - s) / g,
    ]
    real = sorted(root.real for root in np.roots(quartic) if abs(root.imag) < 1e-9)
    low, high = difference_interval(fixed, broken, n)
    assert min(abs(low - root) for root in real) < 1e-9
    assert min(abs(high - root) for root in real) < 1e-9


@pytest.mark.parametrize(("fixed", "broken", "n"), [(0, 0, 100), (100, 0, 100), (0, 100, 100), (1, 0, 1), (5, 0, 9)])
def test_the_interval_holds_the_difference_and_stays_within_bounds_at_the_extremes(
    fixed: int, broken: int, n: int
) -> None:
    low, high = difference_interval(fixed, broken, n)
    assert -1 <= low <= (fixed - broken) / n <= high <= 1
    assert low < high


@pytest.mark.parametrize(("level", "z"), [(0.05, 1.959964), (0.0125, 2.497705), (0.5, 0.674490)])
def test_the_interval_is_of_the_level_that_is_asked_for(level: float, z: float) -> None:
    # At its ends the score statistic, with `broken` at its constrained maximum of likelihood, is ±z: found here by
    # maximising the multinomial likelihood on a grid, not by the quadratic.
    fixed, broken, n = 60, 31, 400
    for end, sign in zip(TangoInterval(fixed, broken, n).at(level), (1, -1), strict=True):
        share = np.linspace(1e-6, (1 - abs(end)) / 2 - 1e-6, 400_001) + max(0.0, -end)
        likelihood = fixed * np.log(share + end) + broken * np.log(share)
        likelihood += (n - fixed - broken) * np.log(1 - 2 * share - end)
        best = share[np.argmax(likelihood)]
        statistic = (fixed - broken - n * end) / math.sqrt(n * (2 * best + end * (1 - end)))
        assert statistic == pytest.approx(sign * z, abs=2e-3)


def test_the_interval_excludes_zero_where_mcnemar_z_does() -> None:
    for fixed in range(40):
        z = (fixed - 20) / math.sqrt(fixed + 20)
        low, high = difference_interval(fixed, 20, 500)
        assert (low > 0 or high < 0) == (abs(z) > stats.norm.ppf(0.975))


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(300, [0.12, 0.06, 0.82], size=600)
    intervals = [difference_interval(int(fixed), int(broken), 300) for fixed, broken, _ in drawn]
    assert np.mean([low <= 0.06 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize(
    ("n", "disagreement", "points"), [(1101, 0.10, 2.7), (1101, 0.20, 3.8), (3000, 0.05, 1.1), (40429, 0.30, 0.76)]
)
def test_detectable_differences_are_those_of_the_design_table(n: int, disagreement: float, points: float) -> None:
    assert 100 * present(detectable_difference(disagreement, n, 0.05)) == pytest.approx(points, abs=0.06)


def test_the_detectable_difference_is_found_in_about_80_percent_of_samples() -> None:
    n, disagreement = 1101, 0.15
    size = detectable_difference(disagreement, n, 0.05)
    shares = [(disagreement + present(size)) / 2, (disagreement - present(size)) / 2, 1 - disagreement]
    drawn = np.random.default_rng(2).multinomial(n, shares, size=2000)
    found = np.mean([mcnemar_mid_p(int(fixed), int(broken)) <= 0.05 for fixed, broken, _ in drawn])
    assert found == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("level", [0.05, 0.0125])
def test_the_detectable_difference_solves_connors_equation(level: float) -> None:
    n, disagreement = 1101, 0.15
    size = detectable_difference(disagreement, n, level)
    z, z_power = stats.norm.ppf(1 - level / 2), stats.norm.ppf(0.8)
    assert present(size) * math.sqrt(n) == pytest.approx(
        z * math.sqrt(disagreement) + z_power * math.sqrt(disagreement - present(size) ** 2)
    )
    one_sided = detectable_difference(0.001, n, level)  # more than the disagreement: all of it one-sided
    assert math.sqrt(n * present(one_sided)) == pytest.approx(z + z_power * math.sqrt(1 - present(one_sided)))


def test_the_detectable_difference_grows_as_the_level_of_a_family_falls() -> None:
    sizes = [detectable_difference(0.2, 1101, 0.05 / rows) for rows in (1, 4, 12)]
    assert sizes == pytest.approx([0.0376, 0.0449, 0.0499], abs=1.5e-4)


@pytest.mark.parametrize(("n", "possible"), [(3, False), (4, True)])
def test_with_no_more_examples_than_the_square_of_z_nothing_can_be_found(n: int, possible: bool) -> None:
    assert (detectable_difference(0.5, n, 0.05) is not None) == possible


def test_a_detectable_difference_needs_no_more_disagreement_than_there_can_be() -> None:
    size = detectable_difference(0.0, 1101, 0.05)  # identical predictions: any difference is one-sided
    drawn = np.random.default_rng(3).binomial(1101, present(size), size=2000)
    assert np.mean([mcnemar_mid_p(int(fixed), 0) <= 0.05 for fixed in drawn]) == pytest.approx(0.85, abs=0.06)
