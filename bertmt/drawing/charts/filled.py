"""A history as a filled area, as task managers draw it: a column per moment, the newest at the right."""

from collections.abc import Sequence

import numpy as np

from bertmt.drawing.charts.sparkline import ASCII_BLOCKS, BLOCKS
from bertmt.drawing.styled import Line, Span, line

EIGHTHS = len(BLOCKS)


def filled(
    shares: Sequence[float] | np.ndarray, width: int, height: int, style: str, ascii_only: bool = False
) -> list[Line]:
    """The last `width` shares in `height` lines from the top; unlike a sparkline's, its scale is always 0 to 1.

    Args:
        shares: 0 to 1; NaN draws nothing, and any share a sign that something is known.
    """
    values = np.asarray(shares, dtype=np.float64)[-width:] if width > 0 else np.zeros(0)
    known = np.isfinite(values)
    top = height * EIGHTHS
    levels = np.clip(np.rint(np.where(known, values, 0.0) * top), 0, top).astype(int)
    levels = np.where(known, np.maximum(levels, 1), 0)
    blocks = " " + (ASCII_BLOCKS if ascii_only else BLOCKS)
    space = " " * (width - len(values))
    lines = []
    for row in range(height - 1, -1, -1):
        of_row = np.clip(levels - row * EIGHTHS, 0, EIGHTHS)
        lines.append(line(Span(space + "".join(blocks[level] for level in of_row.tolist()), style)))
    return lines
