"""A curve in one line of text."""

from collections.abc import Sequence

import numpy as np

from bertmt.drawing.styled import Line, Span, line

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=+*%#"


def sparkline(values: Sequence[float | None] | np.ndarray, width: int, ascii_only: bool = False) -> Line:
    """The values in at most `width` cells; a cell without a number stays empty.

    A cell that stands for several values shows the one farthest from the median of all, so no spike is lost.
    """
    numbers: np.ndarray = np.asarray(values, dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    if width < 1 or not len(numbers):
        return ()
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return line(Span(" " * min(width, len(numbers))))
    parts = np.array_split(numbers, min(width, len(numbers)))
    middle = float(np.median(finite))
    chosen = np.array([_farthest(part, middle) for part in parts])
    low, high = np.nanmin(chosen), np.nanmax(chosen)
    # Halved first: the distance between two huge values of opposite sign would overflow.
    share = (chosen / 2 - low / 2) / (high / 2 - low / 2) if high > low else np.where(np.isnan(chosen), np.nan, 0.5)
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    levels = np.where(np.isnan(share), -1, np.minimum(np.nan_to_num(share) * 8, 7)).astype(int)
    return line(Span("".join(" " if level < 0 else blocks[level] for level in levels.tolist()), "series0"))


def _farthest(part: np.ndarray, middle: float) -> float:
    finite = part[np.isfinite(part)]
    return float(finite[np.abs(finite / 2 - middle / 2).argmax()]) if len(finite) else np.nan
