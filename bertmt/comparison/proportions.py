"""Two classifiers on the same examples: exact McNemar test, interval, and what would have been seen.

All of it needs three counts only: `fixed` (the first wrong, the second right), `broken` (the reverse) and n.
"""

import math

from scipy import special

Z_95 = float(special.ndtri(0.975))
Z_POWER = float(special.ndtri(0.8))


def mcnemar_mid_p(fixed: int, broken: int) -> float:
    """Two-sided mid-p of McNemar's exact test; 1 where nothing differs.

    Source: Fagerland, Lydersen & Laake 2013, BMC Med. Res. Methodol. 13:91: 2 P(X ≤ min) − P(X = min) with
    X ~ Binomial(fixed + broken, ½). The exact p itself is needlessly conservative.
    """
    count, least = fixed + broken, min(fixed, broken)
    if count == 0:
        return 1.0
    at_most = float(special.bdtr(least, count, 0.5))
    below = float(special.bdtr(least - 1, count, 0.5)) if least else 0.0
    return min(1.0, at_most + below)


def difference_interval(fixed: int, broken: int, n: int) -> tuple[float, float]:
    """95 % interval of (fixed − broken) / n: Tango's score interval.

    It inverts the score test whose value at 0 is McNemar's z, so that interval and p agree but for the
    exactness of p, and it has a width also where nothing differed.

    Source: Tango 1998, Statistics in Medicine 17:891, equations for T(δ) and its constrained estimate.
    """
    estimate = (fixed - broken) / n
    low = -1.0 if estimate == -1 else _crossing(fixed, broken, n, -1.0, estimate, Z_95)
    high = 1.0 if estimate == 1 else _crossing(fixed, broken, n, estimate, 1.0, -Z_95)
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
    variance = n * (2 * constrained + delta * (1 - delta))
    distance = fixed - broken - n * delta
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def detectable_difference(disagreement: float, n: int) -> float | None:
    """The smallest true difference that McNemar's test finds in 80 % of samples of this size, at level 0.05.

    Args:
        disagreement: share of examples on which exactly one of the two was right. A true difference needs at
            least as much disagreement as itself, so with less than that, all of it is taken to be one-sided.

    Returns:
        None where even a difference of 1 would not be found.

    Source: Connor 1987, Biometrics 43:207, solved for the difference: Δ√n = z₀.₉₇₅ √ψ + z₀.₈ √(ψ − Δ²).
    """
    if n <= Z_95**2:
        return None
    root = Z_POWER * math.sqrt(n - Z_95**2 + Z_POWER**2)
    found = math.sqrt(disagreement) * (Z_95 * math.sqrt(n) + root) / (n + Z_POWER**2)
    if 0 < found <= disagreement:
        return found
    low, high = 0.0, 1.0  # ψ = Δ: √(nΔ) = z₀.₉₇₅ + z₀.₈ √(1 − Δ), whose left side rises and right side falls
    for _ in range(60):
        middle = (low + high) / 2
        if math.sqrt(n * middle) < Z_95 + Z_POWER * math.sqrt(1 - middle):
            low = middle
        else:
            high = middle
    return high
