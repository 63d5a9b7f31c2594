"""A confusion matrix as lines: always the number, shaded by its share."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bertmt.drawing.numbers import MISSING, count
from bertmt.drawing.numbers import percentage as percentage_text
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import PLAIN, SHADES, Line, Span, cells, cut, line, pad

Shown = Literal["counts", "rows", "columns"]
LONGEST_LABEL = 20
CORNER = "true \\ predicted"


def draw_confusion(matrix: np.ndarray, classes: Sequence[str], shown: Shown = "counts") -> list[Line]:
    """A confusion matrix; rows are the true classes, columns the predicted ones.

    Args:
        matrix: counts, shape (k, k).
        classes: names of the k classes; the columns carry their numbers.
        shown: counts, percentages of the row (of what is true, how much was found) or of the column (of what was
            predicted, how much is true). The shade is the share of the row, for columns that of the column.
    """
    matrix = np.asarray(matrix)
    _check(matrix, classes)
    totals = matrix.sum(axis=0, keepdims=True) if shown == "columns" else matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, where=totals > 0, out=np.full(matrix.shape, np.nan))
    texts = [
        [count(int(matrix[i, j])) if shown == "counts" else _percent(shares[i, j]) for j in range(len(classes))]
        for i in range(len(classes))
    ]
    styles = [[_shade(share) for share in row] for row in shares.tolist()]
    rows_n = [count(int(total)) for total in matrix.sum(axis=1)]
    return _table(texts, styles, classes, rows_n, [count(int(total)) for total in matrix.sum(axis=0)])


def draw_confusion_difference(matrix: np.ndarray, other: np.ndarray, classes: Sequence[str]) -> list[Line]:
    """Counts of `matrix` less those of `other` (the run compared with), good where that is an improvement.

    More on the diagonal is good, more beside it is bad.
    """
    matrix, other = np.asarray(matrix, dtype=np.int64), np.asarray(other, dtype=np.int64)
    _check(matrix, classes)
    _check(other, classes)
    change = matrix - other
    texts = [[("+" if value > 0 else "") + count(value) for value in row] for row in change.tolist()]
    styles = [
        ["dim" if not value else ("good" if (value > 0) == (i == j) else "bad") for j, value in enumerate(row)]
        for i, row in enumerate(change.tolist())
    ]
    return _table(texts, styles, classes, None, None)


def _table(
    texts: list[list[str]],
    styles: list[list[str]],
    classes: Sequence[str],
    row_totals: list[str] | None,
    column_totals: list[str] | None,
) -> list[Line]:
    """Header, one line per true class and, with totals, a last line and column."""
    names = [f"{index} {cut(safe_text(name), LONGEST_LABEL)}" for index, name in enumerate(classes)]
    label_width = max(cells(CORNER), *(cells(name) for name in names))
    heads = [str(index) for index in range(len(classes))]
    everything = [*heads, *(text for row in texts for text in row), *(column_totals or ())]
    cell_width = max(5, *(cells(text) for text in everything)) + 2
    total_width = max((cells(text) for text in row_totals), default=0) + 2 if row_totals else 0
    header = "".join(pad(head + " ", cell_width, right=True) for head in heads)
    header += pad("n", total_width, right=True) if row_totals else ""
    lines = [line(Span(pad(CORNER, label_width), "dim"), Span(header, "axis"))]
    for index, name in enumerate(names):
        row = [
            Span(pad(text + " ", cell_width, right=True), style)
            for text, style in zip(texts[index], styles[index], strict=True)
        ]
        total = Span(pad(row_totals[index], total_width, right=True), "dim") if row_totals else ""
        lines.append(line(pad(name, label_width), *row, total))
    if column_totals:
        below = "".join(pad(text + " ", cell_width, right=True) for text in column_totals)
        lines.append(line(Span(pad("n", label_width) + below, "dim")))
    return lines


def _check(matrix: np.ndarray, classes: Sequence[str]) -> None:
    if not classes or matrix.shape != (len(classes), len(classes)):
        raise ValueError(f"a matrix of shape {matrix.shape} does not fit {len(classes)} classes")


def _percent(share: float) -> str:
    return MISSING if np.isnan(share) else percentage_text(float(share))


def _shade(share: float) -> str:
    return PLAIN if np.isnan(share) else SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)]
