"""What a confidence interval is to those who judge with it: two ends at any level."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Protocol

from scipy import special

Z_POWER = float(
    special.ndtri(0.8)
)  # a difference of that many standard errors above the threshold is found 4 times in 5


class Interval(Protocol):
    """A confidence interval of a difference."""

    @property
    def method(self) -> str:
        """How it is computed, in words."""

    def at(self, level: float) -> tuple[float, float]:
        """Its ends where it may miss the true difference in a share `level` of samples: 0.05 is the 95 % one."""


@dataclass(frozen=True)
class StudentInterval:
    """Student's t-interval of a mean.

    Attributes:
        mean: the estimate; `standard_error`: of it; `freedom`: degrees of freedom.
        method: its name.
    """

    mean: float
    standard_error: float
    freedom: float
    method: str

    def at(self, level: float) -> tuple[float, float]:
        """mean ∓ t(1 − level/2) · standard error."""
        reach = float(special.stdtrit(self.freedom, 1 - level / 2)) * self.standard_error
        return self.mean - reach, self.mean + reach


def of_mean(values: Sequence[float]) -> StudentInterval:
    """Where the mean is of which these are independent samples, at least two; exact where they are normal."""
    return StudentInterval(fmean(values), stdev(values) / math.sqrt(len(values)), len(values) - 1, "Student's t")


def of_one_more(values: Sequence[float]) -> StudentInterval:
    """Where one more sample would lie: mean ∓ t · s · √(1 + 1/n); as `of_mean`.

    Source: the prediction interval of one future observation, Hahn & Meeker 1991, "Statistical Intervals", section 4.7.
    """
    reach = stdev(values) * math.sqrt(1 + 1 / len(values))
    return StudentInterval(fmean(values), reach, len(values) - 1, "Student's t, one more sample")


def upper_z(level: float) -> float:
    """The standard normal quantile that a share `level` / 2 exceeds: 1.96 for 0.05."""
    return float(special.ndtri(1 - level / 2))


def detectable_with(standard_error: float, level: float) -> float:
    """The smallest true difference that a two-sided test finds in 80 % of samples, by normal theory."""
    return (upper_z(level) + Z_POWER) * standard_error
