"""Two classifiers on the same examples: McNemar's test, interval, and what would have been seen.

All of it needs three counts only: `fixed` (the first wrong, the second right), `broken` (the reverse) and n.
"""

import math
from dataclasses import dataclass

from scipy import special

from bertmt.comparison.intervals import Z_POWER, upper_z

# Given the number of flips, the mid-p rejects at level 0.05 in up to 7.7 % of samples (16 flips), and in more than 6 %
# at 14 numbers up to 93; at Holm's levels of 4 and 12 rows in more than 1.2 times the level up to 236. Up to here the
# exact p is used, which never does, and beyond costs little (docs/methods.md lists the sizes).
EXACT_UP_TO = 250


def mcnemar(fixed: int, broken: int) -> tuple[float, str]:
    """Two-sided p of McNemar's test, and its name: exact up to 250 flips, mid-p beyond."""
    if fixed + broken <= EXACT_UP_TO:
        return mcnemar_exact_p(fixed, broken), "exact McNemar"
    return mcnemar_mid_p(fixed, broken), "McNemar mid-p"


def mcnemar_exact_p(fixed: int, broken: int) -> float:
    """2 P(X ≤ min) with X ~ Binomial(fixed + broken, ½), at most 1."""
    return min(1.0, 2 * float(special.bdtr(min(fixed, broken), fixed + broken, 0.5)))


def mcnemar_mid_p(fixed: int, broken: int) -> float:
    """2 P(X ≤ min) − P(X = min) with X ~ Binomial(fixed + broken, ½), which is 1 where both are equal.

    Source: Fagerland, Lydersen & Laake 2013, BMC Med. Res. Methodol. 13:91.
    """
    count, least = fixed + broken, min(fixed, broken)
    at_most = float(special.bdtr(least, count, 0.5))
    below = float(special.bdtr(least - 1, count, 0.5)) if least else 0.0
    return at_most + below


@dataclass(frozen=True)
class TangoInterval:
    """Tango's score interval of (fixed − broken) / n.

    It inverts the score test whose value at 0 is McNemar's z, so that interval and p agree but for the
    exactness of p, and it has a width also where nothing differed.

    Source: Tango 1998, Statistics in Medicine 17:891, equations for T(δ) and its constrained estimate.
    """

    fixed: int
    broken: int
    n: int

    @property
    def method(self) -> str:
        """Its name."""
        return "Tango score"

    def at(self, level: float) -> tuple[float, float]:
        """The differences that the score test does not reject at this level."""
        fixed, broken, n, z = self.fixed, self.broken, self.n, upper_z(level)
        estimate = (fixed - broken) / n
        low = -1.0 if estimate == -1 else _crossing(fixed, broken, n, -1.0, estimate, z)
        high = 1.0 if estimate == 1 else _crossing(fixed, broken, n, estimate, 1.0, -z)
        return low, high


def _crossing(fixed: int, broken: int, n: int, left: float, right: float, target: float) -> float:
    """Where the score statistic, which falls in δ, equals `target` between two points."""
    for _ in range(60):
        middle = (left + right) / 2
        if _score_statistic(fixed, broken, n, middle) > target:
            left = middle
        else:
            right = middle
    return (left + right) / 2


def _score_statistic(fixed: int, broken: int, n: int, delta: float) -> float:
    """Tango's T(δ), with the probability of `broken` at its maximum likelihood given the difference δ."""
    linear = -fixed - broken + (2 * n - fixed + broken) * delta
    constant = -broken * delta * (1 - delta)
    constrained = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * constrained + delta * (1 - delta))  # above 0 wherever −1 < δ < 1 and δ ≠ 0
    return (fixed - broken - n * delta) / math.sqrt(variance)


def detectable_difference(disagreement: float, n: int, level: float) -> float | None:
    """The smallest true difference that McNemar's test at this level finds in 80 % of samples of this size.

    Args:
        disagreement: share of examples on which exactly one of the two was right. A true difference needs at
            least as much disagreement as itself, so with less than that, all of it is taken to be one-sided.

    Returns:
        None where even a difference of 1 would not be found.

    Source: Connor 1987, Biometrics 43:207, solved for the difference: Δ√n = z √ψ + z₀.₈ √(ψ − Δ²).
    """
    z = upper_z(level)
    if n <= z**2:
        return None
    root = Z_POWER * math.sqrt(n - z**2 + Z_POWER**2)
    found = math.sqrt(disagreement) * (z * math.sqrt(n) + root) / (n + Z_POWER**2)
    if 0 < found <= disagreement:
        return found
    low, high = 0.0, 1.0  # ψ = Δ: √(nΔ) = z + z₀.₈ √(1 − Δ), whose left side rises and right side falls
    for _ in range(60):
        middle = (low + high) / 2
        if math.sqrt(n * middle) < z + Z_POWER * math.sqrt(1 - middle):
            low = middle
        else:
            high = middle
    return high
