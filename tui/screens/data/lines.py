"""What an audit found as lines: the splits, the balance of classes as bars, lengths with the cut, what to mind."""

from collections.abc import Callable

import numpy as np

from bertmt.drawing.charts.histogram import NEAR, draw_histogram
from bertmt.drawing.facts import Cell, wrapped
from bertmt.drawing.numbers import count, percentage
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut, line
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.tasks.audit import SplitAudit, TaskAudit
from bertmt.services.tasks.formatting import balance_lines, finding_lines, split_lines, task_lines
from tui.formatting.run_signs import bar
from tui.plain.words import in_words

Draw = Callable[[TaskAudit, int], list[Line]]
MOST_CLASSES = 200  # whose bars are drawn
BAR = 14  # cells
LEAST_BAR = 4
BESIDE_BAR = 16  # cells: "1,092 12.8 %", and gaps
HEIGHT = 6  # lines of a histogram


def about_splits(found: TaskAudit, width: int) -> list[Line]:
    """Sizes, lengths and what to know of them, what was skipped first."""
    remarks = [line(Span(part, "bad")) for each in found.remarks for part in wrapped(safe_text(each), width)]
    return [*remarks, *split_lines(found, width), (), *finding_lines(found, width)]


def about_labels(found: TaskAudit, width: int) -> list[Line]:
    """A bar per class and split, each split's longest as long, where names of classes are whole beside them; of numbers
    their quartiles."""
    splits = {name: split for name, split in found.splits.items() if split.classes}
    if not splits:
        return balance_lines(found, width)
    shown = found.task.classes[:MOST_CLASSES]
    room = (width - max(cells(safe_text(label)) for label in shown)) // len(splits) - BESIDE_BAR
    has_bars = room >= LEAST_BAR and not in_words()
    columns = [Column("class", elastic=True)]
    for name in splits:
        columns += [Column(name), Column("", True)] if has_bars else [Column(name, True)]
    drawn = max(LEAST_BAR, min(room, BAR))
    rows = [
        Row([label, *(cell for split in splits.values() for cell in _bar(split, label, drawn)[not has_bars :])])
        for label in shown
    ]
    left = len(found.task.classes) - len(shown)
    return [*table(columns, rows, width), *([line(Span(f"… {left:,} more", "dim"))] if left else [])]


def _bar(split: SplitAudit, label: str, length: int) -> tuple[Cell, str]:
    number, most = split.classes[label], max(split.classes.values())
    share = number / (split.size - split.unlabelled)
    return Cell(bar(number / most if most else 0.0, length), "series0"), f"{count(number)} {percentage(share)}"


def about_lengths(found: TaskAudit, width: int, height: int = HEIGHT) -> list[Line]:
    """How long the sentences of each split are, and where they are cut."""
    lines: list[Line] = []
    unit = "tokens" if found.encoder else "words"
    for name, split in found.splits.items():
        limit = found.max_length if found.encoder else None
        longest = split.lengths[-1][0]
        where = f"; the cut, at {limit}, is far away" if limit is not None and limit > NEAR * longest else ""
        share = f"; {percentage(split.truncated)} of the examples are cut" if split.truncated else ""
        lines += [line(Span(name, "title"), Span(cut(f"  sentences by {unit}{where}{share}", width - 8), "dim"))]
        if in_words():
            lines += [line(part) for part in wrapped(_lengths_said(split), width)]
        else:
            lines += draw_histogram(dict(split.lengths), width, height, limit)
        lines.append(())
    return lines[:-1]


def whole_audit(found: TaskAudit, width: int) -> list[Line]:
    """All of it, one below the other."""
    parts = [task_lines(found.task, None, width), about_splits(found, width), about_labels(found, width)]
    return [each for part in (*parts, about_lengths(found, width)) for each in (*part, ())][:-1]


def _lengths_said(split: SplitAudit) -> str:
    """A histogram in words."""
    lengths = np.repeat(*np.array(split.lengths, dtype=np.int64).T)
    low, quarter, half, three, high = (f"{np.percentile(lengths, share):g}" for share in (0, 25, 50, 75, 100))
    return f"shortest {low}, a quarter up to {quarter}, half up to {half}, three quarters up to {three}, longest {high}"
