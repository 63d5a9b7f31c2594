"""When a run that trains is said to go wrong: three rules over means of its losses and over its dev scores.

An alarm that is false is worse than none: every rule wants a change well beyond what the run's own noise makes, over
several windows. Replayed at every window of 22 finished runs (20 of `baseline`, `final` and others with MiniLM, 2 on
the embedded data) they raise none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from bertmt.drawing import numbers

WINDOW = 20  # steps whose mean is one value below: single losses are noise
LEAST_WINDOWS = 5  # before which nothing is said
NOISES = 4  # median differences of neighbouring windows that a change has to exceed
PART_LOST = 0.5  # of what was won since the first window
LATE_WINDOWS = 5  # the last ones, in which a run that stalls is where it began
LEAST_WON = 0.02  # of the loss it began with


@dataclass(frozen=True)
class Rules:
    """`[alarms]` of bertmt.toml; 0 switches a rule off.

    Attributes:
        on: whether there are alarms at all.
        diverges: times its lowest mean that a loss has to come to (below 0: as far above it), and half of what was won
            has to be lost.
        stalls: steps after which no loss is below where it began.
        behind: how much lower than every sibling the overall dev score is, at the last two evaluations in common.
    """

    on: bool = True
    diverges: float = 1.5
    stalls: int = 200
    behind: float = 0.05


@dataclass(frozen=True)
class Alarm:
    """Which rule a run breaks, and the sentence that says by which numbers."""

    rule: str
    sentence: str


def alarms(
    rules: Rules,
    losses: Mapping[str, Sequence[float]],
    scores: Mapping[int, float] | None = None,
    siblings: Mapping[str, Mapping[int, float]] | None = None,
) -> list[Alarm]:
    """What is wrong.

    Args:
        losses: by series, the means of each `WINDOW` steps, the first ones first; whole windows alone.
        scores: overall dev scores by step.
        siblings: those of the runs that it is held against, by their ids.
    """
    if not rules.on:
        return []
    found = [_diverges(rules, name, means) for name, means in losses.items()]
    found += [None if any(found) else _stalls(rules, losses), _is_behind(rules, scores or {}, siblings or {})]
    return [each for each in found if each is not None]


def _diverges(rules: Rules, name: str, means: Sequence[float]) -> Alarm | None:
    if not rules.diverges or len(means) < LEAST_WINDOWS:
        return None
    now, best = min(means[-2:]), min(means[:-2])
    lost_much = now - best >= PART_LOST * (means[0] - best)
    # The same as now >= diverges * best, but for losses that go below 0, as Pearson's does.
    is_far = now - best >= (rules.diverges - 1) * abs(best)
    if not (is_far and lost_much and now - best > NOISES * _noise(means[:-2])):
        return None
    sentence = (
        f"{name} diverges: {numbers.score(now)} and more over its last steps, its lowest was "
        f"{numbers.score(best)} (rule: {rules.diverges:g} times that, half of what was won lost; alarms.diverges)"
    )
    return Alarm("diverges", sentence)


def _stalls(rules: Rules, losses: Mapping[str, Sequence[float]]) -> Alarm | None:
    """All losses together: one task may know already what it is taught."""
    if not rules.stalls or not losses:
        return None
    if any(len(means) * WINDOW < rules.stalls or len(means) < 2 * LATE_WINDOWS for means in losses.values()):
        return None
    begun = {name: _mean(means[:2]) for name, means in losses.items()}
    late = {name: _mean(means[-LATE_WINDOWS:]) for name, means in losses.items()}
    for name, means in losses.items():
        won, size = begun[name] - late[name], abs(begun[name])
        if won > max(min(LEAST_WON * size, NOISES * _noise(means)), LEAST_WON / 4 * size):
            return None
    said = ", ".join(f"{name} {numbers.score(begun[name])} → {numbers.score(late[name])}" for name in losses)
    steps = numbers.counted(min(map(len, losses.values())) * WINDOW, "step", "steps")
    return Alarm("stalls", f"stalls: after {steps} no loss is below its beginning: {said} (alarms.stalls)")


def _is_behind(rules: Rules, scores: Mapping[int, float], siblings: Mapping[str, Mapping[int, float]]) -> Alarm | None:
    if not rules.behind or not siblings:
        return None
    common = sorted(set(scores).intersection(*siblings.values()))[-2:]
    if len(common) < 2:
        return None
    gaps = [min(its[step] for its in siblings.values()) - scores[step] for step in common]
    if min(gaps) <= rules.behind:
        return None
    lowest = min(siblings, key=lambda run: siblings[run][common[-1]])
    last = common[-1]
    sentence = (
        f"falls behind {lowest}: overall {numbers.score(scores[last])}, at step {numbers.count(last)} that had "
        f"{numbers.score(siblings[lowest][last])} (rule: more than {rules.behind:g} below twice; alarms.behind)"
    )
    return Alarm("behind", sentence)


def _noise(means: Sequence[float]) -> float:
    """By how much neighbouring windows differ."""
    differences = [abs(after - before) for before, after in pairwise(means)]
    return median(differences) if differences else 0.0


def _mean(values: Iterable[float]) -> float:
    each = list(values)
    return sum(each) / len(each)
