"""How a run stands against the one that it is compared with, in one figure: what a list has room for."""

from dataclasses import dataclass

from bertmt.comparison.verdicts import Verdict
from bertmt.drawing import numbers
from bertmt.errors import BusyError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.compare import compare

OVERALL = "overall"


@dataclass(frozen=True)
class Judgement:
    """The difference of a run from its baseline, and what may be claimed of it.

    Attributes:
        score: what is compared: "overall", or the one task that both have; `title`: its name for people.
        low, high: the ends of the 95 % interval; None: undefined.
    """

    score: str
    title: str
    difference: float
    low: float | None
    high: float | None
    verdict: Verdict

    @property
    def figures(self) -> str:
        """The difference and its interval: "−0.017 [−0.026, −0.009]"."""
        return f"{numbers.difference(self.difference)} {numbers.interval(self.low, self.high)}"


def judgement_of(database: Database, run: Run, baseline: Run) -> Judgement | None:
    """What `compare` says of the two runs alone; None where it has no one figure: the overall score of all tasks of
    both, or the only task that they share."""
    try:
        [against] = compare(database, [[baseline], [run]], with_noise=False).others
    except (UsageError, BusyError):
        return None
    found = {each.task: each for each in against.examples}
    only = next(iter(found)) if len(found) == 1 else ""
    result = found.get(OVERALL if OVERALL in found else only)
    if result is None or result.difference is None:
        return None
    title = OVERALL if result.task == OVERALL else run.tasks[result.task].score_title
    return Judgement(result.task, title, result.difference, result.low, result.high, result.verdict)
