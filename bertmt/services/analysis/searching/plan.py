"""What a search was asked for, and what follows from that alone: its rungs, and how many recipes a budget has room for.

Successive halving: all recipes are trained for a few epochs, the best third of them for three times as many, and so on.
Source: Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS;
the factor of 3 is that of Li et al. 2018, "Hyperband", J. Mach. Learn. Res. 18:185.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from bertmt.errors import DataError, UsageError
from bertmt.recipe.space import Axis, parse_space

FACTOR = 3  # of so many recipes one is let go on, and epochs rise by as much
USUAL_RUNGS = 3  # where the number of recipes is not known yet
MOST_RUNS = 10_000
_SPAN = re.compile(r"(?=\d)(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?")


class SearchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, as the registry keeps it.

    Attributes:
        over: the space, as it was typed.
        sampler: uniform, or optuna's TPE, which learns from the recipes that have ended.
        runs: how many recipes at most; None: as many as the budget has room for.
        budget_seconds: of training, all runs together; None: no bound.
        rungs: the epochs at which recipes pause; the last is the end of a run.
        holds_out: half of dev is left out of every choice.
        explicit: settings that would follow others, but were asked for; as they are typed.
        tags, note: of its runs, beside its own name.
        refused: drawn settings that cannot be trained together, so that they are not drawn again.
    """

    over: tuple[str, ...]
    strategy: Literal["random", "halving"] = "halving"
    sampler: Literal["uniform", "tpe"] = "uniform"
    seed: int = 0
    runs: int | None = None
    budget_seconds: float | None = None
    rungs: tuple[int, ...]
    holds_out: bool = True
    explicit: Mapping[str, Any] = {}
    tags: tuple[str, ...] = ()
    note: str = ""
    refused: tuple[Mapping[str, Any], ...] = ()

    @property
    def space(self) -> tuple[Axis, ...]:
        """What recipes are drawn from."""
        return parse_space(self.over)

    @property
    def last(self) -> int:
        """The rung at which runs end."""
        return len(self.rungs) - 1

    def pause_at(self, rung: int) -> int:
        """The epoch after which a run pauses; 0: it trains to its end."""
        return 0 if rung >= self.last else self.rungs[rung]

    def survivors(self, runs: int, rung: int) -> int:
        """How many of so many recipes come to a rung."""
        return max(1, runs // int(FACTOR**rung))

    def epochs_of(self, runs: int) -> int:
        """Epochs that are trained in all where so many recipes are tried."""
        starts = (0, *self.rungs)
        return sum(self.survivors(runs, rung) * (end - starts[rung]) for rung, end in enumerate(self.rungs))

    def affordable(self, epochs: float) -> int:
        """How many recipes can be tried with so many epochs; at least one."""
        runs = 1
        while runs < MOST_RUNS and self.epochs_of(runs + 1) <= epochs:
            runs += 1
        return runs


def read_plan(text: str) -> SearchPlan:
    """What `to_text` wrote.

    Raises:
        DataError: the registry holds none.
    """
    try:
        found = msgspec.json.decode(text, type=SearchPlan)
    except (msgspec.MsgspecError, UnicodeEncodeError) as problem:
        raise DataError(f"The plan of a search cannot be read: {problem}.") from None
    if not found.rungs or found.rungs[0] < 1 or list(found.rungs) != sorted(set(found.rungs)):
        raise DataError("The plan of a search cannot be read: its rungs are no ascending epochs.")
    return found


def to_text(plan: SearchPlan) -> str:
    """The plan as JSON."""
    return msgspec.json.encode(plan).decode()


def rungs_of(strategy: str, epochs: int, every: int, runs: int | None) -> tuple[int, ...]:
    """The epochs at which recipes pause, and the last.

    Args:
        every: epochs from one evaluation to the next; pauses are at evaluations.

    Raises:
        UsageError: there is no epoch to pause at.
    """
    if strategy == "random":
        return (epochs,)
    count = USUAL_RUNGS if runs is None else max(2, 1 + math.floor(math.log(runs, FACTOR) + 1e-9))
    found = [epochs]
    for rung in range(1, count):
        at = every * math.ceil(epochs / FACTOR**rung / every)
        if at < found[-1]:
            found.append(at)
    if len(found) == 1:
        raise UsageError(
            f"Halving pauses runs after an epoch that is evaluated, but of {epochs} none comes before the last: raise "
            "epochs, or type --strategy random."
        )
    return tuple(reversed(found))


def parse_budget(text: str) -> float:
    """Seconds of "2h", "90m", "1d12h" or "45s".

    Raises:
        UsageError: it is none, or nothing.
    """
    match = _SPAN.fullmatch(text.strip())
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    found = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not found:
        raise UsageError(f"--budget expects a time of training such as 2h, 90m or 1d12h, but found {text[:40]!r}.")
    return float(found)
