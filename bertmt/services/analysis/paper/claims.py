"""The paper's claims, each judged on pairs of ours in which one toggle changes, with the paper's own pair beside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from bertmt.comparison.bootstrap import resamples_for
from bertmt.comparison.seeds import LEAST_TWO_WAY, SeedDifference, compare_seeds
from bertmt.comparison.verdicts import Verdict, judge
from bertmt.recipe.reported import Claim, Pair, claims, reported_scores
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis import arms as several
from bertmt.services.analysis.groups.by_seed import differences_by_seed
from bertmt.services.analysis.paper.runs import Arms, BySeed, PaperRuns, Place, arm_recipe
from bertmt.services.analysis.paper.scale import scale_differences


class Outcome(StrEnum):
    """What our runs say of a claim; undecided is not "no effect"."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    MODELS_ONLY = "these models only"
    NO_PAIR = "no pair yet"


@dataclass(frozen=True)
class JudgedPair:
    """A pair, what the paper reports of it, and what ours says.

    Attributes:
        arms: our runs of both arms at the claim's place; None where they have no seed in common.
        reported: by task of the claim, changed − control as the paper has them; None where it gives one of them not.
        differences: by task of the claim, of the seeds in which both arms have a score; one that has none is left out.
    """

    pair: Pair
    arms: Arms | None
    reported: tuple[float | None, ...]
    differences: tuple[SeedDifference, ...]


@dataclass(frozen=True)
class JudgedClaim:
    """A claim and what our runs say of it.

    Attributes:
        own: our one-toggle pairs, all at one scale and on the same data, judged as one family (Holm).
        paper: the pairs that the paper compares, ours of them at the scale with the most seeds.
        differs: what of our scale is not the paper's: name to ours and the paper's; empty without runs.
        seeds: how many paired seeds each of our pairs has at least.
        seeds_needed: how many could decide it.
    """

    claim: Claim
    outcome: Outcome
    own: tuple[JudgedPair, ...]
    paper: tuple[JudgedPair, ...]
    differs: dict[str, tuple[Any, Any]]
    seeds: int
    seeds_needed: int

    @property
    def runs(self) -> list[Run]:
        """Those that it is judged by."""
        arms = [each.arms for each in self.own if each.arms is not None]
        return [run for each in arms for arm in (each.control, each.changed) for run in arm.values()]


def judged_claims(
    database: Database, runs: PaperRuns, chosen: Iterable[Claim] | None = None
) -> tuple[JudgedClaim, ...]:
    """Each claim by itself: a family is the pairs and tasks of one claim, so that as few seeds as may decide it do."""
    by_seed = _BySeed(database)
    return tuple(_judged(runs, by_seed, claim) for claim in (claims() if chosen is None else chosen))


@cache
def seeds_that_decide(comparisons: int) -> int:
    """The fewest paired seeds with which signs alone can decide a family of so many comparisons; where predictions are
    stored, `LEAST_TWO_WAY` can, however large it is."""
    placeholder = compare_seeds("", {0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0})
    return judge([placeholder] * comparisons)[0].seeds_needed


def comparisons_of(claim: Claim) -> int:
    """How many differences must all point its way."""
    return len(claim.own) * len(claim.tasks)


class _BySeed:
    """Pairs as `compare` compares two groups, each once: claims share them."""

    def __init__(self, database: Database):
        self._database = database
        self._found: dict[tuple[tuple[int, ...], tuple[int, ...], str, int], SeedDifference] = {}

    def difference(self, before: Sequence[Run], after: Sequence[Run], task: str, resamples: int) -> SeedDifference:
        """Of runs with the same seeds that all have the score."""
        control, changed = several.Arm(tuple(before)), several.Arm(tuple(after))
        known = (control.keys, changed.keys, task, resamples)
        if known not in self._found:
            [self._found[known]] = differences_by_seed(self._database, control, changed, [task], resamples)
        return self._found[known]

    def has_predictions(self, arms: Arms, tasks: Sequence[str]) -> bool:
        """Whether those of all runs are stored, so that examples can be resampled too."""
        runs = [run for arm in (arms.control, arms.changed) for run in arm.values()]
        return all(
            stored_predictions.fingerprint_of(self._database, run.key, task, run.scores.selected_epoch) is not None
            for run in runs
            for task in tasks
        )


def _judged(runs: PaperRuns, by_seed: _BySeed, claim: Claim) -> JudgedClaim:
    places = _at_one_place(runs, by_seed, claim, claim.own)
    own = _with_verdicts([_at(by_seed, pair, arms, claim) for pair, arms in zip(claim.own, places, strict=True)])
    paper = _with_verdicts([
        _at(by_seed, pair, _at_one_place(runs, by_seed, claim, [pair])[0], claim) for pair in claim.paper
    ])  # fmt: skip
    found = [each for pair in own for each in pair.differences]
    first = next((each for each in own if each.arms is not None), None)
    return JudgedClaim(
        claim=claim,
        outcome=_outcome(claim, found),
        own=tuple(own),
        paper=tuple(paper),
        differs=_scale_of(first) if first is not None else {},
        seeds=min((len(each.seeds) for each in found), default=0) if len(found) == comparisons_of(claim) else 0,
        seeds_needed=_needed(claim, all(_can_resample(each) for each in found)),
    )


def _needed(claim: Claim, has_predictions: bool) -> int:
    return LEAST_TWO_WAY if has_predictions else seeds_that_decide(comparisons_of(claim))


def _can_resample(found: SeedDifference) -> bool:
    """Whether examples were resampled, or would be with more seeds."""
    return found.over_examples is not None or (found.has_examples and len(found.seeds) < LEAST_TWO_WAY)


def _at_one_place(runs: PaperRuns, by_seed: _BySeed, claim: Claim, pairs: Sequence[Pair]) -> list[Arms | None]:
    """The runs of each pair, all at the same place.

    Of several the one that has all pairs, with seeds that can decide, at the paper's scale, with the most seeds, with
    the newest run; in this order.
    """
    found = [{arms.place: arms for arms in runs.finished_pairs(pair)} for pair in pairs]
    places = {place for each in found for place in each}
    if not places:
        return [None] * len(pairs)

    def worth(place: Place) -> tuple[Any, ...]:
        there = [each[place] for each in found if place in each]
        seeds = [len(each.seeds) for each in there]
        needed = _needed(claim, all(by_seed.has_predictions(each, claim.tasks) for each in there))
        is_papers = not _differs(pairs[0], there[0])
        return len(there), min(seeds) >= needed, is_papers, min(seeds), sum(seeds), max(each.newest for each in there)

    best = max(places, key=worth)
    return [each.get(best) for each in found]


def _differs(pair: Pair, arms: Arms) -> dict[str, tuple[Any, Any]]:
    newest = (max(arm.values(), key=lambda run: run.key) for arm in (arms.control, arms.changed))
    recipes = (arm_recipe(pair.control), arm_recipe(pair.changed))
    return {name: both for run, recipe in zip(newest, recipes, strict=True)
            for name, both in scale_differences(run, recipe).items()}  # fmt: skip


def _scale_of(judged: JudgedPair) -> dict[str, tuple[Any, Any]]:
    return _differs(judged.pair, judged.arms) if judged.arms is not None else {}


def _at(by_seed: _BySeed, pair: Pair, arms: Arms | None, claim: Claim) -> JudgedPair:
    reported = tuple(_reported(pair, task) for task in claim.tasks)
    differences = []
    sides: tuple[BySeed, BySeed] = (arms.control, arms.changed) if arms is not None else ({}, {})
    for task in claim.tasks:
        known = [seed for seed in sides[0] if all(arm[seed].score(task) is not None for arm in sides)]
        if known:
            before, after = ([arm[seed] for seed in known] for arm in sides)
            differences.append(by_seed.difference(before, after, task, resamples_for(comparisons_of(claim))))
    return JudgedPair(pair, arms, reported, tuple(differences))


def _reported(pair: Pair, task: str) -> float | None:
    """What the paper has of a pair; of an arm that changes its preset it has nothing."""
    scores = [None if arm.settings or (found := reported_scores(arm.preset)) is None else found.scores.get(task)
              for arm in (pair.control, pair.changed)]  # fmt: skip
    return None if scores[0] is None or scores[1] is None else scores[1] - scores[0]


def _with_verdicts(pairs: Sequence[JudgedPair]) -> list[JudgedPair]:
    """The same with verdicts, over all of them."""
    family = iter(judge([each for pair in pairs for each in pair.differences]))
    return [
        JudgedPair(pair.pair, pair.arms, pair.reported, tuple(next(family) for _ in pair.differences)) for pair in pairs
    ]


def _outcome(claim: Claim, found: Sequence[SeedDifference]) -> Outcome:
    """What the differences of all pairs and tasks say together."""
    if not found:
        return Outcome.NO_PAIR
    if len(found) < comparisons_of(claim) or not all(each.can_decide for each in found):
        return Outcome.MODELS_ONLY
    verdicts = {each.verdict for each in found}
    wanted = Verdict.BETTER if claim.says == "higher" else Verdict.WORSE
    contrary = Verdict.WORSE if claim.says == "higher" else Verdict.BETTER
    if contrary in verdicts:
        return Outcome.CONTRADICTED
    return Outcome.CONFIRMED if verdicts == {wanted} else Outcome.UNDECIDED
