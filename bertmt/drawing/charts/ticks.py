"""Round numbers along an axis, and their text."""

import math
from itertools import pairwise

from bertmt.drawing.numbers import MINUS


def linear_ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 times a power of ten between low and high.

    Args:
        whole: steps below 1 make no sense (counts of optimizer steps).
    """
    if not high > low or most < 1:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    factors = (1, 2, 5, 10, 20, 50)
    step = next(step * factor for factor in factors if _count(low, high, step * factor) <= most)
    if whole:
        step = max(step, 1.0)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def covering_step(low: float, high: float, least: int, most: int) -> float:
    """A step of 1, 2 or 5 times a power of ten whose multiples cover a range and are neither few nor many.

    Of the steps that do, the one that reaches least beyond the range; where it takes more multiples than wanted, the
    one that takes the fewest.
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    found = []
    for step in (power * factor for factor in (1, 2, 5, 10, 20, 50)):
        ticks = multiples(low, high, step, covering=True)
        if len(ticks) >= least:
            found.append((max(len(ticks) - most, 0), ticks[-1] - ticks[0], step))
    # What is beyond is equal but for rounding: more ticks then.
    return min(found, key=lambda each: (each[0], round(each[1] / (high - low), 6), each[2]))[2]


def multiples(low: float, high: float, step: float, covering: bool = False) -> list[float]:
    """The multiples of a step between low and high; those next to them outside too, where they shall be covered."""
    first, last = low / step, high / step
    if covering:
        start, end = math.floor(first + 1e-9), math.ceil(last - 1e-9)
    else:
        start, end = math.ceil(first - 1e-9), math.floor(last + 1e-9)
    return [index * step for index in range(start, end + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Exponents of round numbers between 10^low and 10^high: decades, or 1-2-5 where there are few decades."""
    decades = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(decades) >= 2:
        return [float(decade) for decade in decades[:: -(-len(decades) // max(most, 1))]]
    fine = [
        decade + math.log10(factor)
        for decade in range(math.floor(low) - 1, math.ceil(high) + 1)
        for factor in (1, 2, 5)
    ]
    within = [each for each in fine if low - 1e-9 <= each <= high + 1e-9]
    if len(within) >= 2:
        return within[: max(most, 2)]
    return [math.log10(each) for each in linear_ticks(10**low, 10**high, most)]


def tick_texts(values: list[float]) -> list[str]:
    """The values with as many decimals as it takes to tell neighbours apart."""
    if not values:
        return []
    largest = max(abs(value) for value in values)
    gap = min((abs(b - a) for a, b in pairwise(values)), default=largest) or largest
    if largest >= 1e6 or (largest > 0 and gap < 1e-4):
        return [_short(f"{value:.6g}") for value in values]
    digits = max(0, -math.floor(math.log10(gap) + 1e-9)) if gap else 0
    return [_short(f"{value:,.{digits}f}") for value in values]


def value_text(value: float) -> str:
    """One value to four significant digits."""
    return _short(f"{value:.4g}")


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def _short(text: str) -> str:
    """Without the zeros of an exponent, with a true minus sign: "1e-05" → "1e−5"."""
    mantissa, exponent, power = text.partition("e")
    if exponent:
        text = f"{mantissa}e{int(power)}"
    return text.replace("-", MINUS)
