"""Numbers as text, the same in every table, page and message; what is undefined is a dash."""

import math
from collections.abc import Sequence

MISSING = "–"
MINUS = "−"  # U+2212: as wide as a plus sign, unlike the hyphen


def _missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def score(value: float | None, digits: int = 3) -> str:
    """A score: 0.483 → "0.483"."""
    return MISSING if value is None or _missing(value) else _signed(value, digits, plus="")


def difference(value: float | None, digits: int = 3) -> str:
    """A difference with its sign: 0.038 → "+0.038"; what rounds to zero has none."""
    return MISSING if value is None or _missing(value) else _signed(value, digits, plus="+")


def magnitude(value: float) -> str:
    """The size of a difference in a sentence, never as nothing: "0.027", "less than 0.001"."""
    return score(value) if value >= 0.001 else "less than 0.001"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """The interval of a difference: "[−0.002, +0.041]"."""
    if low is None or high is None or _missing(low) or _missing(high):
        return MISSING
    return f"[{difference(low, digits)}, {difference(high, digits)}]"


def p_value(value: float | None) -> str:
    """A p-value to three digits, small ones as a bound: "0.031", "< 0.001"."""
    if value is None or _missing(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percentage(fraction: float | None, digits: int = 1) -> str:
    """A fraction as a percentage: 0.123 → "12.3 %"."""
    return MISSING if fraction is None or _missing(fraction) else f"{_signed(100 * fraction, digits, plus='')} %"


def count(value: int | None) -> str:
    """A count with its thousands apart: 12345 → "12,345"."""
    return MISSING if value is None else f"{value:,}".replace("-", MINUS)


def duration(seconds: float | None) -> str:
    """A duration in its two largest units: "0.4 s", "12 s", "3 m 12 s", "2 h 05 m", "1 d 04 h"."""
    if seconds is None or _missing(seconds):
        return MISSING
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} m"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def _signed(value: float, digits: int, plus: str) -> str:
    text = f"{abs(value):.{digits}f}"
    if not text.strip("0."):
        return text
    return (MINUS if value < 0 else plus) + text


def energy(kwh: float | None) -> str:
    """An energy in kilowatt hours for people: "0.42 Wh", "12 Wh", "1.25 kWh"."""
    if kwh is None or _missing(kwh):
        return MISSING
    if abs(kwh) >= 0.9995:
        return f"{_signed(kwh, 2, plus='')} kWh"
    return f"{_signed(1000 * kwh, 2 if abs(kwh) < 0.00995 else 0, plus='')} Wh"


def size_words(size: int) -> str:
    """A size for people."""
    for limit, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= limit:
            return f"{size / limit:,.1f} {unit}"
    return f"{size} bytes"


def counted(count: int, one: str, several: str | None = None) -> str:
    """A number of things: "1 run", "2,000 runs"; `several` where an s does not make the plural, "1 run waits"."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def named(names: Sequence[str], most: int = 3) -> str:
    """A few names and how many more there are: "a, b, c and 294 more"."""
    left = len(names) - most
    # "and 1 more" would take as much room as the name.
    return ", ".join(names[:most]) + f" and {left:,} more" if left > 1 else ", ".join(names[: most + 1])
