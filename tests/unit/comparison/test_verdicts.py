"""Holm's correction, and what may be claimed after it."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from made_up_predictions import classes, compare_task, similarities
from present import present
from scipy import stats

from bertmt.comparison.intervals import StudentInterval
from bertmt.comparison.verdicts import Verdict, holm, holm_levels, judge, verdict


def test_holm_multiplies_the_smallest_p_by_the_size_of_the_family() -> None:
    # Worked by hand: sorted .005, .01, .03, .04 times 4, 3, 2, 1, then the running maximum.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


def test_a_missing_p_does_not_count_in_the_family() -> None:
    assert holm([0.02, None, 0.5]) == pytest.approx((0.04, None, 0.5))


def test_holm_never_claims_more_than_the_raw_p_and_keeps_their_order() -> None:
    p_values = np.random.default_rng(6).random(20)
    corrected = np.array(holm(list(p_values)))
    assert (corrected >= p_values).all() and corrected.max() <= 1
    assert (np.diff(corrected[np.argsort(p_values)]) >= 0).all()


def test_a_difference_that_stands_alone_may_fall_in_a_family() -> None:
    clear = dataclasses.replace(compare_task(classes(right_b=0.6)), p=0.02)
    assert judge([clear])[0].verdict is Verdict.BETTER
    many = judge([clear] + [dataclasses.replace(clear, p=0.9)] * 9)
    assert many[0].verdict is Verdict.UNDECIDED
    assert many[0].p_corrected == pytest.approx(10 * 0.02)


@dataclasses.dataclass
class Fixed:
    """An interval with the same ends at every level."""

    low: float
    high: float
    method: str = "fixed"

    def at(self, level: Any) -> tuple[float, float]:
        return self.low, self.high


def interval(low: float, high: float) -> StudentInterval:
    """A normal interval with these ends at level 0.05."""
    return StudentInterval((low + high) / 2, (high - low) / 2 / stats.norm.ppf(0.975), 1e9, "normal")


def test_a_verdict_has_the_sign_of_the_difference() -> None:
    assert verdict(-0.1, 0.01, interval(-0.2, -0.05), 0.05) is Verdict.WORSE
    assert verdict(0.1, 0.01, interval(0.05, 0.2), 0.05) is Verdict.BETTER
    assert verdict(None, None, None, 0.05) is Verdict.UNDECIDED


def test_a_verdict_needs_both_p_and_the_interval() -> None:
    assert verdict(0.1, 0.04, interval(-0.01, 0.2), 0.05) is Verdict.UNDECIDED
    assert verdict(0.1, 0.06, interval(0.01, 0.2), 0.05) is Verdict.UNDECIDED
    assert verdict(0.1, 0.05, interval(0.01, 0.2), 0.05) is Verdict.BETTER


def test_the_interval_that_guards_a_verdict_has_the_level_of_holms_step() -> None:
    # At 95 % it excludes 0, at 98.75 %, the first step of four rows, it does not.
    narrow = dataclasses.replace(compare_task(classes()), interval=interval(0.001, 0.2), p=0.0001)
    assert judge([narrow])[0].verdict is Verdict.BETTER
    first, *_ = judge([narrow] + [dataclasses.replace(narrow, p=0.9)] * 3)
    assert (first.level, present(first.p_corrected) <= 0.05, first.verdict) == (0.0125, True, Verdict.UNDECIDED)


def test_where_p_alone_would_have_decided_the_level_is_said() -> None:
    narrow = dataclasses.replace(compare_task(classes()), interval=interval(0.001, 0.2), p=0.006)
    others = [dataclasses.replace(narrow, p=0.9)] * 3
    by_interval, *rest = judge([narrow, *others])
    assert by_interval.why_undecided == "The interval at level 0.013, after Holm over 4 comparisons, holds 0."
    by_p, *_ = judge([narrow, *others * 4])
    assert by_p.why_undecided == "p is above 0.0038, the level after Holm over 13 comparisons."
    better = judge([dataclasses.replace(narrow, p=0.001, interval=interval(0.1, 0.2)), *others])[0]
    alone = judge([narrow])[0]
    [unknown, *_] = judge([dataclasses.replace(narrow, interval=None), *others])
    assert [each.why_undecided for each in (*rest, better, alone, unknown)] == [None] * 6


def test_the_shown_interval_stays_the_95_percent_one() -> None:
    alone = compare_task(classes())
    first, *_ = judge([alone] * 4)
    assert (first.low, first.high) == (alone.low, alone.high) == present(alone.interval).at(0.05)


def test_levels_are_those_of_holms_steps_up_to_where_it_stops() -> None:
    # .001 ≤ .05/4 and .01 ≤ .05/3 are rejected; .03 > .05/2 is not, and with it the last.
    assert holm_levels([0.03, 0.001, 0.04, 0.01]) == pytest.approx((0.025, 0.0125, 0.025, 0.05 / 3))
    assert holm_levels([None, 0.2]) == pytest.approx((0.05, 0.05))


def test_holm_levels_reject_what_the_corrected_p_rejects() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        p_values = list(rng.random(5) ** 3)
        by_level = [p <= step for p, step in zip(p_values, holm_levels(p_values), strict=True)]
        assert by_level == [present(p) <= 0.05 for p in holm(p_values)]


def test_near_copies_do_not_promise_to_find_a_difference_of_nothing() -> None:
    pair = similarities(863)
    result = judge([compare_task(dataclasses.replace(pair, predicted_b=pair.predicted_a + 1e-6 * pair.labels**2))])[0]
    assert 0 < present(result.detectable) < 0.0005
    assert "a true difference of less than 0.001 is found" in present(result.remark)


@pytest.mark.parametrize("missing", ["difference", "p", "interval"])
def test_what_is_undefined_is_undecided(missing: str) -> None:
    clear = compare_task(classes(right_b=0.7))
    assert judge([clear])[0].verdict is Verdict.BETTER
    lacking: dict[str, Any] = {missing: None}
    assert judge([dataclasses.replace(clear, **lacking)])[0].verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.2), (-0.2, 0.0)])
def test_an_interval_that_ends_at_zero_decides_nothing(low: float, high: float) -> None:
    assert verdict((low + high) / 2, 0.001, Fixed(low, high), 0.05) is Verdict.UNDECIDED


def test_the_family_is_counted_where_p_is_known() -> None:
    known, unknown = compare_task(classes()), dataclasses.replace(compare_task(classes()), p=None)
    judged = judge([known, unknown, known])
    assert [each.family for each in judged] == [2, 2, 2]
    assert [each.smallest_corrected for each in judged] == [0.0, None, 0.0]
    assert judge([]) == ()


def test_a_p_that_equals_its_step_is_rejected_by_p_and_by_level() -> None:
    p_values = [0.025, 0.04]
    assert [present(p) <= 0.05 for p in holm(p_values)] == [True, True]
    assert holm_levels(p_values) == pytest.approx((0.025, 0.05))


def test_an_undecided_result_says_what_could_have_been_seen() -> None:
    result = judge([compare_task(classes(n=1101, right_b=0.5))])[0]
    assert "not “no effect”" in present(result.remark)
    assert f"{result.detectable:.3f}" in present(result.remark)
