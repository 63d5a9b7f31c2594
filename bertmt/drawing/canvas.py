"""Curves on a grid of dots, and the dots as characters: braille, or one ASCII symbol per series.

Everything per point happens in numpy: 100,000 points cost a few milliseconds, and a Python loop only ever sees
the pieces of text of one row.
"""

from collections.abc import Sequence

import numpy as np

from bertmt.drawing.styled import PLAIN, SERIES, Line, Span

# Unicode 2800 is the empty pattern; bits of the dots by row and column of a cell (Unicode chapter 21).
BRAILLE = 0x2800
DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
BRAILLE_DOTS = (4, 2)  # rows and columns of dots in one cell
ASCII_DOTS = (1, 1)
SYMBOLS = "*+xo#@%&"


def column_ranges(
    steps: np.ndarray, values: np.ndarray, first: float, last: float, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest value of the curve in each column of dots; NaN where there is no curve.

    The curve is the polyline through the points, so its value where it crosses from one column into the next
    counts for both: lines stay connected where points are few, and every spike is kept where they are many. A
    value that is not a number breaks the line on both its sides.

    Args:
        steps: ascending, finite, between `first` and `last`; shape (n,), as `values`.
    """
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    position = (steps - first) * (columns / (last - first)) if last > first else np.full(len(steps), columns / 2)
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return low, high
    column = np.minimum(position[finite].astype(np.int64), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    low[column[starts]] = np.minimum.reduceat(values[finite], starts)
    high[column[starts]] = np.maximum.reduceat(values[finite], starts)
    edges = np.arange(1, columns)
    right = np.searchsorted(position, edges)
    between = (right > 0) & (right < len(position))
    edges, right = edges[between], right[between]
    left = right - 1
    share = (edges - position[left]) / (position[right] - position[left])
    with np.errstate(invalid="ignore"):  # infinite values: the crossing is NaN, which breaks the line
        crossing = values[left] + share * (values[right] - values[left])
    crossing[~np.isfinite(crossing)] = np.nan
    for side in (edges - 1, edges):
        low[side] = np.fmin(low[side], crossing)
        high[side] = np.fmax(high[side], crossing)
    return low, high


def dots(low: np.ndarray, high: np.ndarray, bottom: float, top: float, rows: int) -> np.ndarray:
    """The dots that a curve covers, first row at the top; shape (rows, columns) of bool."""
    drawn = np.isfinite(low)
    scale = (rows - 1) / (top - bottom)
    upper = np.where(drawn, np.rint((top - high) * scale), rows)
    lower = np.where(drawn, np.rint((top - low) * scale), -1)
    index = np.arange(rows)[:, None]
    return (index >= upper) & (index <= lower)


def compose(layers: Sequence[np.ndarray], ascii_only: bool) -> list[Line]:
    """Layers of dots, one per series, as lines of characters in the series' styles.

    A cell shows the dots of all series in the colour of the one with the most dots in it, the earlier where equal.
    """
    per_row, per_column = ASCII_DOTS if ascii_only else BRAILLE_DOTS
    rows, columns = layers[0].shape[0] // per_row, layers[0].shape[1] // per_column
    owner = np.full((rows, columns), -1)
    most = np.zeros((rows, columns), dtype=np.int64)
    bits = np.zeros((rows, columns), dtype=np.uint8)
    for index, layer in enumerate(layers):
        in_cells = layer.reshape(rows, per_row, columns, per_column)
        count = in_cells.sum(axis=(1, 3))
        owner[count > most] = index
        most = np.maximum(most, count)
        if not ascii_only:
            bits |= (in_cells * DOT_BITS[:, None, :]).sum(axis=(1, 3), dtype=np.uint8)
    symbols = np.array([ord(symbol) for symbol in SYMBOLS])
    codes = symbols[owner % len(SYMBOLS)] if ascii_only else BRAILLE + bits.astype(np.uint32)
    codes = np.where(owner < 0, ord(" "), codes).astype("<u4")
    return [_spans(codes[row], owner[row]) for row in range(rows)]


def _spans(codes: np.ndarray, owner: np.ndarray) -> Line:
    """One row of characters, cut where the series changes."""
    text = codes.tobytes().decode("utf-32-le")
    starts = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist()]
    ends = [*starts[1:], len(text)]
    return tuple(
        Span(text[start:end], series_style(int(owner[start]))) for start, end in zip(starts, ends, strict=True)
    )


def series_style(index: int) -> str:
    """The style of the series with that index; −1 is no series."""
    return PLAIN if index < 0 else SERIES[index % len(SERIES)]
