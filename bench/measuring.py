"""Timing and the table that a benchmark prints."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured thing.

    Attributes:
        value: the median.
        target: what the project aims at, or None.
        higher_is_better: of the value.
        peer, peer_value: the same measured of something else in this very run.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    higher_is_better: bool = False
    peer: str = ""
    peer_value: float | None = None

    @property
    def met(self) -> str:
        if self.target is None:
            return ""
        reached = self.value >= self.target if self.higher_is_better else self.value <= self.target
        return "yes" if reached else "NO"

    def row(self) -> tuple[str, ...]:
        sign = "≥" if self.higher_is_better else "≤"
        ratio = f"{self.value / self.peer_value:.3g}×" if self.peer_value else ""
        return (
            self.name,
            f"{self.value:,.4g} {self.unit}",
            f"{sign} {self.target:,g}" if self.target is not None else "",
            self.met,
            f"{self.peer}: {self.peer_value:,.4g}" if self.peer_value else "",
            ratio,
        )


def median_seconds(act: Callable[[], object], runs: int = 9, warm_up: int = 1) -> float:
    """Median wall seconds of a call."""
    for _ in range(warm_up):
        act()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def paired_medians(first: Callable[[], object], second: Callable[[], object], runs: int = 9) -> tuple[float, float]:
    """Medians of two calls made in turn, so that a machine whose speed drifts is equally kind to both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for round_number in range(runs + 1):
        for act, times in zip((first, second), taken, strict=True):
            start = time.perf_counter()
            act()
            if round_number:
                times.append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("what", "measured", "target", "met", "peer, same run", "ratio"), *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
