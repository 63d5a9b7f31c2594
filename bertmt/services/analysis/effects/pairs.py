"""Matched pairs: finished runs of one scale, seed and data whose recipes differ in one toggle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertmt.drawing.numbers import counted
from bertmt.errors import BertmtError
from bertmt.recipe.loading import from_json
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import unresolved
from bertmt.registry.records import Run
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.baseline import SCALE_SETTINGS
from bertmt.services.browse.run_formatting import scale_mark, value_text

OFF = "off"
COMING = (*WAITING, State.RUNNING, State.PAUSED)
Toggles = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A toggle and the two values that it has in the runs of a pair, as text."""

    toggle: str
    before: str
    after: str

    @property
    def title(self) -> str:
        """What people call it: "lora.rank off → 16"; not yet safe for a screen."""
        return f"{self.toggle} {self.before} → {self.after}"


@dataclass(frozen=True)
class Pair:
    """Two runs that differ in one toggle; `b` has the value that the change leads to."""

    a: Run
    b: Run


@dataclass(frozen=True)
class Lacking:
    """A run that is there, and the one that would make a pair of it.

    Attributes:
        like: a run of the recipe that lacks, with another seed; `seed`: the one that it should have.
    """

    present: Run
    like: Run
    seed: int


@dataclass(frozen=True)
class Matched:
    """All pairs of a change.

    Attributes:
        recipes: how many recipes it was switched in, the rest of them being equal.
        lacking: runs that would complete further pairs in these recipes; none that waits or runs already.
    """

    change: Change
    pairs: tuple[Pair, ...]
    recipes: int
    lacking: tuple[Lacking, ...]

    @property
    def scale(self) -> str:
        """Data and encoder of its runs, and their epochs."""
        run = self.pairs[0].a if self.pairs else self.lacking[0].present
        return f"{scale_mark(run)}, {counted(int(run.recipe['epochs']), 'epoch')}"

    @property
    def units(self) -> tuple[tuple[Pair, ...], ...]:
        """The pairs, those together that share a run: what that run has by luck is in all of them, so that they are
        one sample."""
        first: dict[int, int] = {}  # each run's way to the run that stands for all that it is together with

        def root(key: int) -> int:
            while first.setdefault(key, key) != key:
                key = first[key]
            return key

        for pair in self.pairs:
            first[root(pair.a.key)] = root(pair.b.key)
        found: dict[int, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(root(pair.a.key), []).append(pair)
        return tuple(map(tuple, found.values()))

    @property
    def seeds(self) -> int:
        """How many seeds the pairs have."""
        return len({pair.a.seed for pair in self.pairs})


@dataclass(frozen=True, eq=False)
class _Arm:
    """The runs of one recipe at one scale on the same data, by seed; of several with one seed the newest.

    Attributes:
        coming: seeds of runs that wait or run.
    """

    toggles: Toggles
    finished: dict[int, Run]
    coming: set[int]

    @property
    def newest(self) -> Run:
        """Of the finished runs."""
        return max(self.finished.values(), key=lambda run: run.key)


def matched_pairs(runs: Iterable[Run]) -> list[Matched]:
    """Every change of one toggle that two finished runs differ in, those with the most pairs first; by scale and data.

    Two runs are a pair where seed, encoder, budget and data are the same. What a toggle itself brings (the extra pairs,
    settings that have nothing to do without it) may differ.
    """
    found: dict[tuple[Any, Change], list[tuple[_Arm, _Arm]]] = {}
    for scale, arms in _arms(runs).items():
        for one, other, toggle in _differing_in_one(arms):
            if _same_data(one.newest, other.newest):
                a, b = sorted((one, other), key=lambda arm: _place(toggle, arm.toggles[toggle]))
                change = Change(toggle, _text(a.toggles[toggle]), _text(b.toggles[toggle]))
                # What a toggle does with toy data is another question than what it does with real ones.
                found.setdefault(((scale, a.newest.submission.data), change), []).append((a, b))
    matched = [_matched(change, sides) for (_, change), sides in found.items()]
    return sorted(
        matched, key=lambda each: (-len(each.pairs), each.change.title, each.pairs[0].a.key if each.pairs else 0)
    )


def _matched(change: Change, sides: Sequence[tuple[_Arm, _Arm]]) -> Matched:
    pairs: list[Pair] = []
    lacking: list[Lacking] = []
    recipes = 0
    for a, b in sides:
        shared = sorted(a.finished.keys() & b.finished.keys())
        pairs += [Pair(a.finished[seed], b.finished[seed]) for seed in shared]
        recipes += bool(shared)
        for own, other in ((a, b), (b, a)):
            alone = sorted(own.finished.keys() - other.finished.keys() - other.coming)
            lacking += [Lacking(own.finished[seed], other.newest, seed) for seed in alone]
    return Matched(change, tuple(pairs), recipes, tuple(lacking))


def _same_data(one: Run, other: Run) -> bool:
    """Whether the splits that both read are the same, and the tasks that both train too.

    Extra pairs, and tasks that one trains alone, are what their toggles bring; of a split that is not known nothing is
    held against it, as in `same_dev_data`.
    """
    marks, its = one.submission.fingerprints, other.submission.fingerprints
    if any(marks[name] != its[name] for name in marks if name in its):
        return False
    return all(about.asked == other.tasks[name].asked for name, about in one.tasks.items() if name in other.tasks)


def _arms(runs: Iterable[Run]) -> dict[Any, list[_Arm]]:
    """Recipes with a finished run, by scale."""
    known: dict[tuple[Any, ...], tuple[Any, _Arm]] = {}
    coming: dict[tuple[Any, ...], set[int]] = {}
    read: dict[tuple[int, str], Toggles | None] = {}  # seeds of a recipe share it
    for run in sorted(runs, key=lambda run: run.key):
        if run.state is not State.FINISHED and run.state not in COMING:
            continue
        own = run.submission
        mark = (id(own.shared_recipe), own.definitions_json)
        toggles = read[mark] if mark in read else read.setdefault(mark, _toggles(run))
        if toggles is None:
            continue
        scale = _scale(run)
        values = tuple(sorted((name, repr(value)) for name, value in toggles.items()))
        # Whatever fingerprints it will have: what waits must not be queued a second time.
        waiting = coming.setdefault((scale[0], values), set())
        if run.state is not State.FINISHED:
            waiting.add(run.seed)
            continue
        key = (scale, values, own.fingerprints_json, own.definitions_json)
        known.setdefault(key, (scale, _Arm(toggles, {}, waiting)))[1].finished[run.seed] = run
    by_scale: dict[Any, list[_Arm]] = {}
    for scale, arm in known.values():
        by_scale.setdefault(scale, []).append(arm)
    return by_scale


def _scale(run: Run) -> tuple[Any, ...]:
    """What must be equal besides the toggles: encoder with fingerprints, budget, number of extra pairs, precision."""
    recipe = run.submission.shared_recipe
    settings = tuple(repr(recipe.get(name)) for name in SCALE_SETTINGS)
    return settings, run.submission.encoder_fingerprints_json, recipe.get("extra_data_limit"), recipe.get("precision")


def _toggles(run: Run) -> Toggles | None:
    """The toggles of a recipe, without those that have nothing to do; None where it cannot be read any more."""
    try:
        return unresolved(from_json(run.submission.recipe_json, run.known)).toggles()
    except BertmtError:
        return None


def _differing_in_one(arms: Sequence[_Arm]) -> Iterator[tuple[_Arm, _Arm, str]]:
    """Arms that differ in one toggle alone of those that both have, and that toggle."""
    names = list(dict.fromkeys(name for arm in arms for name in arm.toggles))
    codes = np.full((len(arms), len(names)), -1)  # of thousands of recipes every two are compared
    for column, name in enumerate(names):
        seen: dict[str, int] = {}
        for row, arm in enumerate(arms):
            if name in arm.toggles:
                codes[row, column] = seen.setdefault(repr(arm.toggles[name]), len(seen))
    for row in range(len(arms) - 1):
        own, others = codes[row], codes[row + 1 :]
        differs = (own >= 0) & (others >= 0) & (own != others)
        for place in np.flatnonzero(differs.sum(axis=1) == 1):
            yield arms[row], arms[row + 1 + int(place)], names[int(np.argmax(differs[place]))]


def _place(name: str, value: Any) -> tuple[Any, ...]:
    """Off before on, the default before others, less before more."""
    default = SETTINGS[name].default if name in SETTINGS else None
    if isinstance(value, (list, tuple)):
        return (1, len(value), repr(value))
    number = float(value) if isinstance(value, (int, float)) else 0.0
    is_off = value in (None, False, 0, "")
    return (0 if is_off else 1 if value == default else 2, number, repr(value))


def _text(value: Any) -> str:
    if value is None or value is False or value == "":
        return OFF
    return "on" if value is True else value_text(value)
