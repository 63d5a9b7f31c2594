"""How many seeds would decide, and what so many can show: seeds make one part of an error smaller, examples the other.

Normal theory: a difference is found in 80 % of samples where it is z(0.8) standard errors beyond the reach of the
interval, which is that of `effects.TwoWayInterval`.
"""

import math

from scipy import special

from bertmt.comparison.intervals import Z_POWER, upper_z

MOST_SEEDS = 1000


def detectable_over(seeds: int, spread: float, over_examples: float, level: float) -> float:
    """The smallest true difference that so many paired seeds show in 80 % of samples.

    Args:
        spread: standard deviation of the difference of one pair of runs.
        over_examples: variance of the mean difference by the dev examples alone.
        level: of the two-sided test.
    """
    t = float(special.stdtrit(seeds - 1, 1 - level / 2))
    over_seeds = spread**2 / seeds
    reach = math.sqrt(t * t * over_seeds + upper_z(level) ** 2 * over_examples)
    return reach + Z_POWER * math.sqrt(over_seeds + over_examples)


def seeds_to_decide(difference: float, spread: float, over_examples: float, level: float, least: int) -> int | None:
    """How many paired seeds show a true difference of that size in 80 % of samples; None where even 1,000 do not.

    Args:
        least: not fewer than so many.
    """
    if detectable_over(MOST_SEEDS, spread, over_examples, level) > abs(difference):
        return None
    low, high = max(least, 2) - 1, MOST_SEEDS  # `low` too few, or not asked for; `high` enough: fewer seeds show less
    while high - low > 1:
        middle = (low + high) // 2
        enough = detectable_over(middle, spread, over_examples, level) <= abs(difference)
        low, high = (low, middle) if enough else (middle, high)
    return high
