"""Other programs' answers to the same questions."""

import deepsig
import numpy as np
import pytest
from present import present
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from bertmt.comparison.proportions import mcnemar_exact_p
from bertmt.comparison.seeds import compare_seeds, sign_flip_p, welch_p
from bertmt.comparison.verdicts import holm

ARM_A = np.array([0.480, 0.491, 0.475, 0.488, 0.502, 0.470, 0.493])
ARM_B = np.array([0.502, 0.489, 0.501, 0.510, 0.507, 0.489, 0.480])


@pytest.mark.parametrize(("fixed", "broken"), [(1, 7), (30, 12), (5, 5), (0, 9), (120, 90)])
def test_the_exact_p_is_statsmodels(fixed: int, broken: int) -> None:
    slow = statsmodels_mcnemar([[100, broken], [fixed, 50]], exact=True)
    assert mcnemar_exact_p(fixed, broken) == pytest.approx(slow.pvalue, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_holms_correction_is_statsmodels(seed: int) -> None:
    p_values = np.random.default_rng(seed).random(12) ** 2
    assert holm(list(p_values)) == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-12)


def test_the_unpaired_interval_and_p_are_statsmodels() -> None:
    first, second = dict(enumerate(ARM_A)), {10 + seed: score for seed, score in enumerate(ARM_B[:4])}
    slow = CompareMeans(DescrStatsW(ARM_B[:4]), DescrStatsW(ARM_A))
    found = compare_seeds("sst", first, second)
    for level in (0.05, 0.0125):
        assert present(found.interval).at(level) == pytest.approx(
            slow.tconfint_diff(alpha=level, usevar="unequal"), rel=1e-9
        )
    assert welch_p(ARM_A, ARM_B[:4]) == pytest.approx(slow.ttest_ind(usevar="unequal")[1], rel=1e-9)


def test_the_sign_flip_p_is_twice_deepsigs_one_sided_one() -> None:
    slow = 2 * deepsig.permutation_test(ARM_B, ARM_A, num_samples=4000, seed=1)
    assert sign_flip_p(ARM_B - ARM_A) == pytest.approx(slow, abs=0.015)
