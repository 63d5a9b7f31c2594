"""Which runs are of the paper's models and of the arms of its claims, and which of them make pairs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bertmt.errors import BertmtError
from bertmt.recipe.loading import from_json, presets
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.reported import Arm, Pair, claims
from bertmt.recipe.rules import resolved
from bertmt.registry.records import Run
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.baseline import SCALE_SETTINGS

COMING = (*WAITING, State.RUNNING, State.PAUSED)
PAPERS = "as in the paper"
BASICS = ("tasks", "ensembling", "super_concat", "extra_data", "pearson", "mnr", "cosine_embedding", "lora.rank")
Toggles = tuple[tuple[str, str], ...]
BySeed = Mapping[int, Run]


@dataclass(frozen=True)
class Place:
    """What runs must share to be a pair, besides the seed; each part equal where it is the same.

    Attributes:
        scale: of each setting of the scale its value, or `PAPERS` where it is the recipe's own; and the encoder.
        data: fingerprints of the splits of the tasks that both arms train.
        extra: those of extra pairs, and how many at most; empty where there are none.
    """

    scale: tuple[str, ...]
    data: tuple[tuple[str, str], ...]
    extra: tuple[str, ...]


@dataclass(frozen=True)
class Arms:
    """The runs of a pair's two arms at one place, of several with one seed the newest.

    Attributes:
        control, changed: with the same seeds, ascending; at least one.
    """

    place: Place
    control: BySeed
    changed: BySeed

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those that both arms have."""
        return tuple(self.control)

    @property
    def newest(self) -> int:
        """The greatest key of its runs."""
        return max(run.key for arm in (self.control, self.changed) for run in arm.values())


class PaperRuns:
    """Runs by what they train, whatever their scale and seed: those that finished, and those that still may."""

    def __init__(self, runs: Iterable[Run]):
        self._known: dict[tuple[int, str], Toggles | None] = {}  # seeds of a recipe share it
        self._by_toggles: dict[Toggles, list[Run]] = {}
        self._presets = {toggles_of(resolved(each.recipe())): name for name, each in presets().items()}
        for run in sorted(runs, key=lambda run: run.key):
            if run.state is not State.FINISHED and run.state not in COMING:
                continue
            toggles = self._toggles(run)
            if toggles is not None:
                self._by_toggles.setdefault(toggles, []).append(run)

    def of(self, recipe: Recipe) -> list[Run]:
        """The runs whose toggles a resolved recipe equals, oldest first."""
        return self._by_toggles.get(toggles_of(recipe), [])

    def of_presets(self) -> dict[str, list[Run]]:
        """The runs of each preset that has some; also of those that were trained before it was one."""
        return {self._presets[each]: runs for each, runs in self._by_toggles.items() if each in self._presets}

    def finished_pairs(self, pair: Pair) -> list[Arms]:
        """The finished runs of both arms that have a seed in common, at each place where there are some."""
        recipes = arm_recipe(pair.control), arm_recipe(pair.changed)
        shared = [task for task in recipes[0].tasks if task in recipes[1].tasks]
        control, changed = (self._by_place(recipe, shared) for recipe in recipes)
        found = []
        for place, its in changed.items():
            own = control.get(place) or control.get(Place(place.scale, place.data, ()), {})
            seeds = sorted(own.keys() & its.keys())
            if seeds:
                found.append(Arms(place, {seed: own[seed] for seed in seeds}, {seed: its[seed] for seed in seeds}))
        return found

    def _by_place(self, recipe: Recipe, tasks: Iterable[str]) -> dict[Place, dict[int, Run]]:
        found: dict[Place, dict[int, Run]] = {}
        for run in self.of(recipe):
            if run.state is State.FINISHED:
                found.setdefault(_place(run, recipe, tasks), {})[run.seed] = run
        return found

    def _toggles(self, run: Run) -> Toggles | None:
        """The run's toggles; None where its recipe cannot be read any more, or is surely none of the paper's."""
        own = run.submission
        if own.preset is not None and own.preset in presets():
            return _of_preset(own.preset)
        if _basics(own.shared_recipe) not in _known_basics():
            return None
        mark = (id(own.shared_recipe), own.definitions_json)
        if mark not in self._known:
            self._known[mark] = _read(run)
        return self._known[mark]


def toggles_of(recipe: Recipe) -> Toggles:
    """The toggles of a resolved recipe, to be looked up."""
    return tuple(sorted((name, repr(value)) for name, value in recipe.toggles().items()))


@cache
def _of_preset(name: str) -> Toggles:
    return toggles_of(resolved(presets()[name].recipe()))


@cache
def _known_basics() -> frozenset[str]:
    """Of the presets, and of all arms: reading a recipe of which another is known takes a hundred times as long."""
    arms = [arm for claim in claims() for pair in (*claim.own, *claim.paper) for arm in (pair.control, pair.changed)]
    recipes = [resolved(each.recipe()) for each in presets().values()] + [arm_recipe(arm) for arm in arms]
    return frozenset(_basics(each.flat()) for each in recipes)


def _basics(recipe: Mapping[str, Any]) -> str:
    return repr([list(found) if isinstance(found := recipe.get(name), tuple) else found for name in BASICS])


def arm_recipe(arm: Arm) -> Recipe:
    """The resolved recipe of an arm."""
    return resolved(arm.recipe())


def _read(run: Run) -> Toggles | None:
    try:
        return toggles_of(from_json(run.submission.recipe_json, run.known))
    except BertmtError:
        return None


def _place(run: Run, recipe: Recipe, tasks: Iterable[str]) -> Place:
    """Of a run of the recipe, where tasks are those that both arms train."""
    own, marks = run.submission.shared_recipe, run.submission.fingerprints
    scale = [PAPERS if own.get(name) == recipe.value(name) else repr(own.get(name)) for name in SCALE_SETTINGS]
    scale += [run.submission.encoder_fingerprints_json, str(own.get("precision"))]
    names = [f"{task}-{split}" for task in tasks for split in ("train", "dev")]
    return Place(tuple(scale), tuple((name, marks[name]) for name in names if name in marks), _extra(marks, own))


def _extra(marks: Mapping[str, str], recipe: Mapping[str, Any]) -> tuple[str, ...]:
    if not recipe.get("extra_data"):
        return ()
    named = [f"{name} {mark}" for name, mark in marks.items() if name.endswith("-extra")]
    return (*named, str(recipe.get("extra_data_limit")))
