"""What a search does next, from where its runs stand: no clock, no registry, nothing remembered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing import numbers
from bertmt.services.analysis.searching.plan import SearchPlan


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A tried recipe, as far as decisions go.

    Attributes:
        is_open: its run waits or runs, or a person paused it before its rung.
        never_began: its run waits for its first start.
        score: where it has come to its rung, on the half of dev that is chosen by; None: it has not, or will not.
        seconds: of training so far.
    """

    number: int
    rung: int
    is_open: bool
    never_began: bool
    score: float | None
    seconds: float


@dataclass(frozen=True)
class Start:
    """Try so many more recipes."""

    count: int


@dataclass(frozen=True)
class Settle:
    """That many recipes are tried in all."""

    runs: int


@dataclass(frozen=True)
class Promote:
    """Let these go on to a rung."""

    numbers: tuple[int, ...]
    rung: int


@dataclass(frozen=True)
class Drop:
    """Do not begin these: the budget is used up."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Wait:
    """Runs must come farther first."""


@dataclass(frozen=True)
class End:
    """The search has ended; a sentence says why."""

    why: str


Decision = Start | Settle | Promote | Drop | Wait | End
ALL_TRIED = "All recipes were tried."
BUDGET_USED = "The budget is used up."
NO_SCORE = "No recipe came to a score."
MOST_FIRST = 3  # recipes of which the first that comes to a score tells how long an epoch takes


def decide(
    plan: SearchPlan, runs: int | None, tried: Sequence[Standing], per_epoch: float | None, slots: int = 1
) -> Decision:
    """The next thing to do; after it everything is looked at anew.

    Args:
        runs: how many recipes are tried; None: not settled yet.
        per_epoch: seconds that an epoch takes, measured or estimated; None: not known.
        slots: how many runs are worked at once.
    """
    used = math.fsum(each.seconds for each in tried)
    is_used_up = plan.budget_seconds is not None and used >= plan.budget_seconds
    if is_used_up and any(each.never_began for each in tried):
        return Drop(tuple(each.number for each in tried if each.never_began))
    if plan.strategy == "random":
        return _random(plan, runs, tried, per_epoch, slots)
    return _halving(plan, runs, tried, per_epoch, used)


def _random(
    plan: SearchPlan, runs: int | None, tried: Sequence[Standing], per_epoch: float | None, slots: int
) -> Decision:
    """Where a budget or a sampler must see results first, no more at once than can be worked."""
    left = math.inf if runs is None else runs - len(tried)
    room = _room(plan, tried, per_epoch)
    open_now = sum(each.is_open for each in tried)
    at_once = math.inf if plan.budget_seconds is None and plan.sampler == "uniform" else slots - open_now
    more = min(left, room, at_once)
    if more >= 1:
        return Start(int(more))
    if open_now:
        return Wait()
    if not any(each.score is not None for each in tried):
        return End(NO_SCORE)
    return End(ALL_TRIED if left < 1 else BUDGET_USED)


def _room(plan: SearchPlan, tried: Sequence[Standing], per_epoch: float | None) -> float:
    """For how many more whole runs the budget has room; at least one recipe is tried, whatever it is."""
    if plan.budget_seconds is None:
        return math.inf
    if per_epoch is None:  # the first run is to tell, or where it dies another
        return 0 if len(tried) >= MOST_FIRST or any(each.is_open for each in tried) else 1
    one = per_epoch * plan.rungs[-1]
    spent = math.fsum(max(one, each.seconds) if each.is_open else each.seconds for each in tried)
    return max(math.floor((plan.budget_seconds - spent) / one), 0 if tried else 1)


def _halving(
    plan: SearchPlan, runs: int | None, tried: Sequence[Standing], per_epoch: float | None, used: float
) -> Decision:
    top = max((each.rung for each in tried), default=0)
    here = [each for each in tried if each.rung == top]
    waits = any(each.is_open for each in here)
    is_used_up = plan.budget_seconds is not None and used >= plan.budget_seconds
    if runs is None:
        if plan.budget_seconds is not None and per_epoch is not None:
            return Settle(max(plan.affordable(plan.budget_seconds / per_epoch), 2))
        if waits:
            return Wait()
        return End(NO_SCORE) if len(tried) >= MOST_FIRST or (is_used_up and tried) else Start(1)
    if top == 0 and len(tried) < runs and not is_used_up:
        return Start(runs - len(tried))
    if waits:
        return Wait()
    ranked = sorted(
        (each for each in here if each.score is not None), key=lambda each: (-(each.score or 0), each.number)
    )
    if not ranked:
        below = max(
            (each for each in tried if each.rung < top and each.score is not None),
            key=lambda each: (each.rung, each.score or 0, -each.number), default=None,
        )  # fmt: skip
        return End(NO_SCORE) if below is None else Promote((below.number,), top)
    if top == plan.last:
        return End(BUDGET_USED if is_used_up else ALL_TRIED)
    most = plan.survivors(runs, top + 1)
    if plan.budget_seconds is not None and per_epoch is not None:
        one = per_epoch * (plan.rungs[top + 1] - plan.rungs[top])
        # At least one recipe is trained to its end, whatever the budget.
        most = min(most, max(1, math.floor((plan.budget_seconds - used) / one)))
    return Promote(tuple(each.number for each in ranked[:most]), top + 1)


def in_words(decision: Decision, plan: SearchPlan) -> str:
    """What is about to be done, for people; "": nothing that they need to know."""
    match decision:
        case Settle(runs=runs):
            return f"The budget has room for {numbers.counted(runs, 'recipe')}."
        case Promote(numbers=chosen, rung=rung):
            listed = numbers.named([str(number) for number in chosen], most=8)
            return (
                f"{numbers.counted(len(chosen), 'recipe goes', 'recipes go')} on to epoch {plan.rungs[rung]}: {listed}."
            )
        case Drop(numbers=dropped):
            return f"{BUDGET_USED} {numbers.counted(len(dropped), 'recipe is', 'recipes are')} not begun."
    return ""
