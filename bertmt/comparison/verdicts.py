"""Better, worse or undecided, after correction for the number of comparisons made at once."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bertmt.comparison.intervals import Interval

LEVEL = 0.05


class Verdict(StrEnum):
    """What a comparison may claim; undecided is not "no effect"."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is judged: how much better b scores than a; None: undefined.

    Attributes:
        task: its name, or overall.
        p: two-sided, by `test`, before any correction.
        interval: of the difference, at any level.
        p_corrected, family, smallest_corrected, level, verdict: filled in by `judge`: p by Holm, over how many
            comparisons, the least that it could be, and the level of the row's step, at which it was judged.
    """

    task: str
    difference: float | None = None
    p: float | None = None
    test: str = "none"
    interval: Interval | None = None
    p_corrected: float | None = None
    family: int = 1
    smallest_corrected: float | None = None
    level: float = LEVEL
    verdict: Verdict = Verdict.UNDECIDED

    @property
    def smallest_p(self) -> float | None:
        """The least that p can be, whatever the scores; with as many resamples as the family needs, anything."""
        return None if self.p is None else 0.0

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval."""
        return self.interval.at(LEVEL)[0] if self.interval else None

    @property
    def high(self) -> float | None:
        """Upper end of the 95 % interval."""
        return self.interval.at(LEVEL)[1] if self.interval else None

    @property
    def why_undecided(self) -> str | None:
        """Where p alone would have decided: the level at which a family is judged, in a sentence."""
        if self.verdict is not Verdict.UNDECIDED or self.p is None or self.p > LEVEL or self.family < 2:
            return None
        if self.interval is None or (self.smallest_corrected or 0.0) > LEVEL:  # nothing could decide: see its remark
            return None
        after = f"after Holm over {self.family} comparisons"
        if self.p_corrected is not None and self.p_corrected > LEVEL:
            return f"p is above {self.level:.2g}, the level {after}."
        return f"The interval at level {self.level:.2g}, {after}, holds 0."


Judged = TypeVar("Judged", bound=Difference)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's step-down correction over a family; a missing p stays missing and does not count.

    Source: Holm 1979, Scand. J. Statist. 6:65; as adjusted p-values: the running maximum of (m − rank) p.
    """
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        corrected[index] = largest
    return tuple(corrected)


def holm_levels(p_values: Sequence[float | None], level: float = LEVEL) -> tuple[float, ...]:
    """The level at which Holm's procedure judges each p: level / (m − rejected before it).

    Those that are not rejected are all judged at the step where the procedure stops.
    """
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    levels = [level] * len(p_values)
    going_on, step = True, level
    for rank, (p, index) in enumerate(known):
        if going_on:
            step = level / (len(known) - rank)
            going_on = p <= step
        levels[index] = step
    return tuple(levels)


def verdict(difference: float | None, p_corrected: float | None, interval: Interval | None, step: float) -> Verdict:
    """The claim that a difference allows: its corrected p is at most 0.05, and its interval excludes no difference.

    The interval too, so that no claim contradicts what is shown beside it: at the level of the row's step in Holm's
    procedure, else p would decide alone after the correction.
    """
    if difference is None or p_corrected is None or interval is None:
        return Verdict.UNDECIDED
    low, high = interval.at(step)
    if p_corrected > LEVEL or low <= 0 <= high:
        return Verdict.UNDECIDED
    return Verdict.BETTER if difference > 0 else Verdict.WORSE


def judge(family: Iterable[Judged]) -> tuple[Judged, ...]:
    """The same results with what Holm's correction over all of them adds, and the verdicts.

    Args:
        family: everything that is shown together, all runs and tasks.
    """
    results = list(family)
    p_values = [each.p for each in results]
    corrected, levels = holm(p_values), holm_levels(p_values)
    bounds = holm([each.smallest_p for each in results])
    return tuple(
        dataclasses.replace(
            each,
            p_corrected=p,
            family=sum(p is not None for p in p_values),
            smallest_corrected=bound,
            level=step,
            verdict=verdict(each.difference, p, each.interval, step),
        )
        for each, p, step, bound in zip(results, corrected, levels, bounds, strict=True)
    )
