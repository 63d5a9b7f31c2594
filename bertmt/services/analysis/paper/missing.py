"""What of the paper has not been trained at a scale: the runs that are missing, planned to be queued."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.comparison.seeds import LEAST_TWO_WAY
from bertmt.drawing.numbers import counted, named
from bertmt.errors import UsageError
from bertmt.recipe.loading import presets
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.reported import Arm, Claim, Figure, Pair, claims, claims_about, figures
from bertmt.recipe.rules import resolved
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.paper.runs import PaperRuns
from bertmt.services.browse.baseline import SCALE_SETTINGS
from bertmt.services.plan.submit import Plan, PlannedRun, Request, plan
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks.loading import TOY

MOST_SEEDS = 1000
SEEDS_WANTED = LEAST_TWO_WAY  # new runs have predictions, so that so many can decide any claim


@dataclass(frozen=True)
class Missing:
    """What is wanted of the paper at a scale, and what of it is there.

    Attributes:
        plan: the runs that are missing, one seed of every arm before two of any; None: there is none.
        arms: how many recipes are wanted; `seeds`: those that each of them should have.
        finished, coming: how many of the wanted runs are there, or wait or run already.
        left_out: recipes that cannot be trained, as they need extra pairs and nobody named any.
    """

    plan: Plan | None
    arms: int
    seeds: tuple[int, ...]
    finished: int
    coming: int
    left_out: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many runs are missing."""
        return len(self.plan.runs) if self.plan is not None else 0

    def sentence(self) -> str:
        """The count for people."""
        wanted = f"{counted(self.arms, 'recipe')} with {counted(len(self.seeds), 'seed')} each"
        there = f"{self.finished:,} of {counted(self.arms * len(self.seeds), 'run')} finished"
        coming = f", {counted(self.coming, 'waits or runs', 'wait or run')}" if self.coming else ""
        lacking = f"{self.count:,} {'is' if self.count == 1 else 'are'} missing"
        return f"{wanted}: {there}{coming}, {lacking}.{self._about_extra}"

    @property
    def _about_extra(self) -> str:
        if not self.left_out:
            return ""
        more = counted(len(self.left_out), "more recipe needs", "more recipes need")
        return f" {more} the extra pairs ({named(self.left_out)}): --extra-data FILE names them."


def chosen_figures(numbers: Iterable[int]) -> tuple[Figure, ...]:
    """The figures of these numbers, in their order; all where there are none.

    Raises:
        UsageError: there is no such figure.
    """
    wanted, known = set(numbers), {each.number: each for each in figures()}
    if unknown := wanted - known.keys():
        raise UsageError(
            f"--figure expects 1 to {max(known)}, but found {min(unknown)}; Figure 11 is a diagram of `final`."
        )
    return tuple(each for number, each in known.items() if not wanted or number in wanted)


def claims_of(chosen: Sequence[Figure]) -> tuple[Claim, ...]:
    """The claims about models of these figures: those in whose pairs such a model is what was changed.

    Where that is no model of any figure in our pair, as MNR alone, it is the one in the paper's.
    """
    models = {name for figure in chosen for name in figure.models}
    return tuple(each for each in claims() if models & {pair.changed.preset for pair in _about(each)})


def _about(claim: Claim) -> Sequence[Pair]:
    reported = {name for figure in figures() for name in figure.models}
    return claim.own if any(pair.changed.preset in reported for pair in claim.own) else claim.paper


def arms_of(chosen: Sequence[Figure]) -> tuple[Arm, ...]:
    """The models of figures, then what the pairs of the claims about them have besides, each once."""
    found = [Arm(name, {}) for figure in chosen for name in figure.models]
    found += [arm for claim in claims_of(chosen) for arm in arms_of_claim(claim)]
    return tuple({arm.key: arm for arm in found}.values())


def arms_about(preset: str) -> tuple[Arm, ...]:
    """A model, and what the pairs of the claims about it have besides."""
    found = [Arm(preset, {}), *(arm for claim in claims_about(preset) for arm in arms_of_claim(claim))]
    return tuple({arm.key: arm for arm in found}.values())


def arms_of_claim(claim: Claim) -> tuple[Arm, ...]:
    """Both arms of each of our pairs."""
    found = [arm for pair in claim.own for arm in (pair.control, pair.changed)]
    return tuple({arm.key: arm for arm in found}.values())


def claims_wanted(preset: str | None, claim: Claim | None) -> tuple[tuple[Claim, ...], tuple[Arm, ...]]:
    """The claims about a model and the recipes that they need; or those of one claim, or of everything."""
    if claim is not None:
        return (claim,), arms_of_claim(claim)
    if preset is not None:
        return claims_about(preset), arms_about(preset)
    return claims(), arms_of(figures())


def missing(
    runs: Iterable[Run], wanted_arms: Sequence[Arm], number: int, values: Mapping[str, Any], folder: Path
) -> Missing:
    """What is missing of these recipes.

    Args:
        number: how many seeds each of them should have.
        values: of the scale and all else that should be the same in all runs, as after `--set`; they win.
        folder: of the registry.

    Raises:
        UsageError: a number of seeds that cannot be.
        BertmtError: a recipe, its data or its encoder cannot be used.
    """
    if not 1 <= number <= MOST_SEEDS:
        raise UsageError(f"--seeds expects 1 to {MOST_SEEDS:,}, but found {number}.")
    if "seed" in values:
        raise UsageError("The seeds follow from --seeds: leave `--set seed=…` out.")
    known = PaperRuns(runs)
    lacking = [arm for arm in wanted_arms if _lacks_extra_pairs(arm, values)]
    arms = [arm for arm in wanted_arms if arm not in lacking]
    if not arms:
        names = named([arm.command() for arm in lacking])
        raise UsageError(f"All of {names} need the extra pairs: name --extra-data FILE.")
    plans = [plan(_request(arm, values, folder)) for arm in arms]
    planned = [each.runs[0] for each in plans]
    there = [_there(known, each) for each in planned]
    wanted = _seeds(there, number)
    left = [
        dataclasses.replace(each, recipe=each.recipe.with_values({"seed": seed}), from_preset=arm.preset)
        for seed in wanted
        for arm, each, own in zip(arms, planned, there, strict=True)
        if seed not in own
    ]
    states = [own[seed] for own in there for seed in wanted if seed in own]
    remarks = tuple(dict.fromkeys(remark for each in plans for remark in each.remarks))
    whole = Plan(Request(preset=arms[0].preset, values=values, folder=folder), tuple(left), remarks) if left else None
    finished = sum(state is State.FINISHED for state in states)
    left_out = tuple(arm.command() for arm in lacking)
    return Missing(whole, len(arms), wanted, finished, len(states) - finished, left_out)


def _lacks_extra_pairs(arm: Arm, values: Mapping[str, Any]) -> bool:
    """Whether it takes extra pairs and, beside data of the user's own, none are named."""
    given = {**read_user_settings(), **values}
    return arm.recipe().extra_data and given.get("data", TOY) not in ("", TOY) and not given.get("extra_data_file")


def _request(arm: Arm, values: Mapping[str, Any], folder: Path) -> Request:
    suffix = "".join(f"-{name.rpartition('.')[2]}{value}" for name, value in arm.settings.items())
    return Request(preset=arm.preset, values={**arm.settings, **values}, name=arm.preset + suffix, folder=folder)


def _there(known: PaperRuns, planned: PlannedRun) -> dict[int, State]:
    """The seeds of which there is a run like the planned one, and its state; one that has finished before others."""
    found: dict[int, State] = {}
    for run in known.of(planned.recipe):
        if _is_like(run, planned) and found.get(run.seed) is not State.FINISHED:
            found[run.seed] = run.state
    return found


def _is_like(run: Run, planned: PlannedRun) -> bool:
    """Whether it is the same scale, encoder and data; the code may be another."""
    own, recipe = run.submission.shared_recipe, planned.recipe
    names = [*SCALE_SETTINGS, "precision", *(["extra_data_limit"] if recipe.extra_data else [])]
    if any(own.get(name) != recipe.value(name) for name in names):
        return False
    encoder = run.submission.encoder_fingerprints
    return run.submission.fingerprints == dict(planned.fingerprints) and encoder == dict(planned.encoder_fingerprints)


def _seeds(there: Sequence[Mapping[int, State]], number: int) -> tuple[int, ...]:
    """The seeds that all should have: those that most have already, then the least numbers."""
    counts = Counter(seed for own in there for seed in own)
    usual = sorted(counts, key=lambda seed: (-counts[seed], seed))
    others = (seed for seed in range(number) if seed not in counts)
    return tuple(sorted([*usual, *others][:number]))


def values_like(runs: Iterable[Run]) -> dict[str, Any]:
    """What to set so that other models of the paper are trained at the scale of the newest of these runs.

    One whose preset sets nothing of the scale goes before others: what it has by itself is not for all. Without runs
    nothing is set.
    """
    known = sorted(runs, key=lambda run: (not _has_own_scale(run), run.key))
    if not known:
        return {}
    run, recipe = known[-1], resolved(Recipe())
    own, defaults = run.submission.shared_recipe, read_user_settings()
    named_settings = [name for name in SCALE_SETTINGS if own.get(name) != recipe.value(name) or name in defaults]
    values = {name: own[name] for name in named_settings if name in own}
    if own.get("extra_data"):
        values["extra_data_limit"] = own["extra_data_limit"]
    if run.submission.extra_data_file:
        values["extra_data_file"] = run.submission.extra_data_file
    return {**values, "data": run.submission.data}


def _has_own_scale(run: Run) -> bool:
    preset = presets().get(run.submission.preset or "")
    return preset is None or any(name in SCALE_SETTINGS for name in preset.values)
