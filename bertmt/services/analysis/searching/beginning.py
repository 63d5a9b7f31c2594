"""Beginning a search: all that can be refused is refused before anything is stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import replace as replace_struct

from bertmt.drawing.numbers import counted
from bertmt.errors import Problems, RecipeError, UsageError
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import read_values, unresolved
from bertmt.recipe.space import Axis, in_words, parse_space, size_of
from bertmt.registry.database import Database
from bertmt.registry.searches.records import Search, Trial
from bertmt.registry.searches.rows import add_search, add_trials, is_name_taken
from bertmt.services.analysis.searching.drawing_recipes import next_recipes, require_optuna, why_nothing
from bertmt.services.analysis.searching.plan import MOST_RUNS, SearchPlan, parse_budget, rungs_of, to_text
from bertmt.services.names import check_name, check_tag
from bertmt.services.plan.estimates import estimate
from bertmt.services.plan.submit import Plan, PlannedRun, Request, explicit_values, plan, submit

MOST_REFUSED = 1000  # drawn recipes, before something else is wrong than they
LONGEST_NAME = 60  # a run's name has its number behind it
LONGEST_NUMBER = 9  # digits
EPOCHS, STAGES = "epochs", "stages"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person asks for, as it was typed.

    Attributes:
        request: the recipe that is changed.
        name: of the search; "": after its recipe.
        budget, runs, seed: raw; "": not given.
    """

    request: Request
    over: Sequence[str]
    name: str = ""
    budget: str = ""
    runs: str = ""
    strategy: str = "halving"
    sampler: str = "uniform"
    seed: str = ""
    holds_out: bool = True


@dataclass(frozen=True)
class Begun:
    """A search that was stored, with what a person should know."""

    search: Search
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Prepared:
    """A search that can be stored.

    Attributes:
        first: the recipes that are tried at once.
    """

    name: str
    plan: SearchPlan
    runs: int | None
    request: Request
    first: tuple[tuple[Mapping[str, Any], PlannedRun], ...]
    remarks: tuple[str, ...]


def prepare(database: Database | None, asked: Asked, problems: Problems | None = None) -> Prepared:
    """Work out and check a search and its first recipes, without storing any.

    Args:
        database: None: there is no registry yet, so that no past run tells how long one takes.
        problems: what is wrong with the request already.

    Raises:
        UsageError, RecipeError, DataError, EncoderError, NotFoundError: with every problem.
    """
    problems = Problems() if problems is None else problems
    space = problems.attempt(parse_space, asked.over) or ()
    numbers = problems.attempt(_numbers, asked) or (None, None, 0)
    twice = [axis.name for axis in space if axis.name in asked.request.values]
    for name in twice:
        problems.add(UsageError(f"{name} is given with --set and with --over: leave one of them out."))
    if asked.sampler == "tpe" and asked.strategy != "random":
        problems.add(
            UsageError("--sampler tpe learns from scores, which halving draws without: type --strategy random.")
        )
    elif asked.sampler == "tpe":
        problems.attempt(require_optuna)
    # Planned as `bertmt queue` plans it, so that the same is refused in the same words.
    [base] = plan(asked.request, problems).runs
    search_plan = _plan(asked, base.recipe, numbers)
    runs = _runs(database, search_plan, base.recipe)
    name = _name(database, asked, base.name)
    remarks = _remarks(search_plan, base.recipe)
    count = (runs or 1) if search_plan.strategy == "halving" or _at_once(search_plan) else 1
    request = replace(asked.request, tags=(*asked.request.tags, name))
    drawn = next_recipes(search_plan, unresolved(base.recipe), [], [], count)
    if not drawn:
        raise RecipeError(why_nothing(search_plan, unresolved(base.recipe)) or ["The space of the search is empty."])
    if runs is not None and len(drawn) < count:
        remarks.append(f"There are {counted(len(drawn), 'recipe')} to try, and no more.")
        runs = len(drawn)
    found = planned_trials(request, name, search_plan, drawn, 1)
    if not found.trials:
        raise found.problem or RecipeError(["The space of the search is empty."])
    search_plan = replace_struct(search_plan, refused=found.refused)
    remarks += _without_effect(space, [each.recipe for _, each in found.trials])
    return Prepared(name, search_plan, runs, request, found.trials, tuple(remarks))


def begin(database: Database, prepared: Prepared) -> Begun:
    """Store a search with its first recipes, all or nothing: a process that is killed leaves none or all of it.

    Raises:
        UsageError: another search has its name by now.
    """
    with database.durable():
        if is_name_taken(database, prepared.name):
            raise UsageError(_taken(prepared.name))
        search = add_search(database, prepared.name, to_text(prepared.plan), prepared.runs)
        add(database, search, prepared.request, prepared.plan, prepared.first, 1)
    return Begun(search, prepared.remarks)


@dataclass(frozen=True)
class PlannedTrials:
    """Recipes with their checked runs, and those that cannot be trained.

    Attributes:
        refused: the settings of all that were refused so far.
        problem: what was wrong with the last of them.
    """

    trials: tuple[tuple[Mapping[str, Any], PlannedRun], ...]
    refused: tuple[Mapping[str, Any], ...]
    problem: RecipeError | None


def planned_trials(
    request: Request, name: str, search_plan: SearchPlan, drawn: Sequence[Mapping[str, Any]], first: int
) -> PlannedTrials:
    """The runs of recipes, checked; `first` is the number of the first. A combination of settings that cannot be
    trained is passed over.

    Raises:
        UsageError, DataError, EncoderError: data or an encoder are not at hand.
        RecipeError: as good as none can be trained.
    """
    trials: list[tuple[Mapping[str, Any], PlannedRun]] = []
    refused, problem = list(search_plan.refused), None
    for settings in drawn:
        values = {**request.values, **in_words(settings)}
        try:
            [run] = plan(replace(request, name=f"{name}-{first + len(trials)}", values=values)).runs
        except RecipeError as found:
            refused.append(settings)
            problem = found
            if len(refused) > MOST_REFUSED:
                raise
        else:
            trials.append((settings, run))
    return PlannedTrials(tuple(trials), tuple(refused), problem)


def add(
    database: Database,
    search: Search,
    request: Request,
    search_plan: SearchPlan,
    trials: Sequence[tuple[Mapping[str, Any], PlannedRun]],
    first: int,
) -> None:
    """Queue the runs of recipes and keep that they are the search's; inside a write transaction."""
    paused = replace(request, pause_after=search_plan.pause_at(0))
    runs = submit(database, Plan(paused, tuple(planned for _, planned in trials), ()))
    rows = [
        Trial(search=search.key, number=number, run=run.id, settings_json=json.dumps(dict(settings)), rung=0)
        for number, ((settings, _), run) in enumerate(zip(trials, runs, strict=True), first)
    ]
    add_trials(database, rows)


def _numbers(asked: Asked) -> tuple[float | None, int | None, int]:
    """Budget, recipes and seed.

    Raises:
        UsageError: one is none, or neither budget nor recipes are given.
    """
    if not asked.budget and not asked.runs:
        raise UsageError("A search needs an end: --budget 2h (of training), --runs 12, or both.")
    if not (
        asked.runs == ""
        or (
            asked.runs.isascii()
            and asked.runs.isdigit()
            and len(asked.runs) <= LONGEST_NUMBER
            and 2 <= int(asked.runs) <= MOST_RUNS
        )
    ):
        raise UsageError(f"--runs expects a whole number from 2 to {MOST_RUNS:,}, but found {asked.runs[:40]!r}.")
    for flag, value, known in (
        ("strategy", asked.strategy, ("halving", "random")),
        ("sampler", asked.sampler, ("uniform", "tpe")),
    ):
        if value not in known:
            raise UsageError(f"--{flag} expects {' or '.join(known)}, but found {value[:40]!r}.")
    seeds, wrong = read_values({"seed": asked.seed or "0"})
    if wrong:
        raise RecipeError(wrong)
    budget = parse_budget(asked.budget) if asked.budget else None
    return budget, int(asked.runs) if asked.runs else None, seeds["seed"]


def _plan(asked: Asked, base: Recipe, numbers: tuple[float | None, int | None, int]) -> SearchPlan:
    budget, runs, seed = numbers
    space = parse_space(asked.over)
    if asked.strategy == "halving" and any(axis.name == EPOCHS for axis in space):
        raise UsageError("Halving pauses after epochs, so it cannot search over epochs: type --strategy random.")
    size = size_of(space)
    most = runs if size == float("inf") else int(min(size, runs or size))
    return SearchPlan(
        over=tuple(asked.over), strategy=asked.strategy, sampler=asked.sampler, seed=seed, runs=most,  # type: ignore[arg-type]
        budget_seconds=budget, rungs=_rungs(asked.strategy, space, base, most), holds_out=asked.holds_out,
        explicit=_explicit(asked.request, space), tags=asked.request.tags, note=asked.request.note,
    )  # fmt: skip


def _rungs(strategy: str, space: Sequence[Axis], base: Recipe, runs: int | None) -> tuple[int, ...]:
    """Where recipes pause, within their first stage of training, and where they end: of several stages after the last.

    Where stages are searched, the most of them count.
    """
    *pauses, last = rungs_of(strategy, base.epochs, base.evaluate_every, runs)
    stages = [len(value) for axis in space if axis.name == STAGES for value in axis.values]
    return (*pauses, last * max(stages, default=len(base.stages)))


def _explicit(request: Request, space: Sequence[Axis]) -> dict[str, Any]:
    """Settings that would follow others, but were asked for, as they are typed."""
    searched = {axis.name for axis in space}
    return in_words({name: value for name, value in explicit_values(request).items() if name not in searched})


def _at_once(search_plan: SearchPlan) -> bool:
    """Whether all recipes of a random search are queued at once: nothing has to be seen first."""
    return search_plan.budget_seconds is None and search_plan.sampler == "uniform"


def _runs(database: Database | None, search_plan: SearchPlan, base: Recipe) -> int | None:
    """How many recipes are tried, where that is known: as asked, as far as the budget has room for them."""
    if search_plan.budget_seconds is None or search_plan.strategy == "random":
        return search_plan.runs
    [seconds] = estimate(database, [base]).seconds if database is not None else (None,)
    if seconds is None:  # a first run will tell
        return None
    room = max(search_plan.affordable(search_plan.budget_seconds / seconds * search_plan.rungs[-1]), 2)
    return min(room, search_plan.runs or room)


def _name(database: Database | None, asked: Asked, recipe: str) -> str:
    """As asked for, or after the recipe."""
    if asked.name:
        check_name(asked.name)
        check_tag(asked.name)
        if len(asked.name) > LONGEST_NAME:
            raise UsageError(f"A search's name has at most {LONGEST_NAME} characters, but found {len(asked.name)}.")
        if database is not None and is_name_taken(database, asked.name):
            raise UsageError(_taken(asked.name))
        return asked.name
    stem = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in recipe)[: LONGEST_NAME - 12]
    found, number = f"{stem}-search", 1
    while database is not None and is_name_taken(database, found):
        number += 1
        found = f"{stem}-search-{number}"
    return found


def _taken(name: str) -> str:
    return (
        f"There is a search {name} already: `bertmt search --resume {name}` goes on with it, or choose another --name."
    )


def _remarks(search_plan: SearchPlan, base: Recipe) -> list[str]:
    found = []
    if search_plan.strategy == "halving":
        listed = ", ".join(map(str, search_plan.rungs))
        found.append(f"Recipes are judged after epoch {listed}; of each {3} the best goes on.")
        if base.learning_rate_schedule != "constant":
            found.append("The learning rate falls over all epochs, so a pause sees recipes before theirs has fallen.")
    if search_plan.holds_out and (base.select == "best" or base.early_stopping):
        found.append("Each run looks at all of dev for its epoch (select, early_stopping), the held-out half included.")
    return found


def _without_effect(space: Sequence[Axis], recipes: Sequence[Recipe]) -> list[str]:
    """A sentence for each setting that none of the recipes has anything to do with."""
    idle = [recipe.idle() for recipe in recipes]
    return [
        f"`{axis.name}` is ignored, whatever its value: {idle[0][axis.name]}."
        for axis in space
        if idle and all(axis.name in each for each in idle)
    ]
