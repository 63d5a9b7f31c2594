"""Which recipe a search tries next: drawn evenly from its space, or as optuna's TPE suggests."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bertmt.errors import UsageError
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import read_recipe
from bertmt.recipe.space import DIGITS, Axis, draws, in_words
from bertmt.services.analysis.searching.plan import SearchPlan

MOST_SUGGESTIONS = 200  # that cannot be tried, before a sampler is given up
SEEDS = 2**32  # so many are there for optuna's
Scored = tuple[Mapping[str, Any], float]


def next_recipes(
    plan: SearchPlan, base: Recipe, known: Sequence[Mapping[str, Any]], scored: Sequence[Scored], count: int
) -> list[dict[str, Any]]:
    """Settings to try next, at most so many; fewer where the space is used up.

    Args:
        base: what they change; what it cannot be combined with is passed over.
        known: the settings that were tried.
        scored: those that have a score, with it.
    """
    tried = [in_words(each) for each in known]
    found: list[dict[str, Any]] = []
    for drawn in _candidates(plan, scored, len(known)):
        if len(found) == count:
            break
        if in_words(drawn) not in tried and not read_recipe(in_words(drawn), base)[1]:
            tried.append(in_words(drawn))
            found.append(drawn)
    return found


def _candidates(plan: SearchPlan, scored: Sequence[Scored], known: int) -> Iterator[dict[str, Any]]:
    if plan.sampler == "tpe":
        yield from _suggested(plan, scored, known)
    yield from draws(plan.space, plan.seed)  # also where the sampler comes to nothing new


def why_nothing(plan: SearchPlan, base: Recipe) -> list[str]:
    """What is wrong with the first recipe of a space."""
    return next((read_recipe(in_words(drawn), base)[1] for drawn in draws(plan.space, plan.seed)), [])


def require_optuna() -> Any:
    """optuna, quiet.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import optuna  # noqa: PLC0415 - of the extra `search`, and slow to import
    except ImportError:
        raise UsageError(
            '--sampler tpe is optuna\'s, which needs one more package: `pip install "bertmt[search]"`.'
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _suggested(plan: SearchPlan, scored: Sequence[Scored], known: int) -> Iterator[dict[str, Any]]:
    """What TPE suggests after what was scored.

    The study is made anew each time, so that all of the search is in the registry.
    """
    optuna = require_optuna()
    space = plan.space
    distributions = {axis.name: _distribution(optuna, axis) for axis in space}
    sampler = optuna.samplers.TPESampler(seed=(plan.seed * MOST_SUGGESTIONS + known) % SEEDS)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for settings, value in scored:
        words = in_words(settings)
        params = {axis.name: words[axis.name] if axis.values else settings[axis.name] for axis in space}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
    for _ in range(MOST_SUGGESTIONS):
        asked = study.ask(distributions).params
        yield {axis.name: _value(axis, asked[axis.name]) for axis in space}


def _distribution(optuna: Any, axis: Axis) -> Any:
    kinds = optuna.distributions
    if axis.values:
        return kinds.CategoricalDistribution([in_words({"": value})[""] for value in axis.values])
    if axis.is_whole:
        return kinds.IntDistribution(int(axis.low), int(axis.high), log=axis.is_log)
    return kinds.FloatDistribution(axis.low, axis.high, log=axis.is_log)


def _value(axis: Axis, asked: Any) -> Any:
    if axis.values:
        return next(value for value in axis.values if in_words({"": value})[""] == asked)
    return int(asked) if axis.is_whole else min(max(float(f"{asked:.{DIGITS}g}"), axis.low), axis.high)
