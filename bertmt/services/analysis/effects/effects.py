"""Which toggle helps: its average effect over all matched pairs, by task, and what would tell more."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from bertmt.comparison.effects import Effect, average_effect
from bertmt.comparison.paired import overall_weight
from bertmt.comparison.verdicts import judge
from bertmt.errors import NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State
from bertmt.services.analysis.effects.influences import ReadInfluences
from bertmt.services.analysis.effects.pairs import Change, Lacking, Matched, Pair, matched_pairs
from bertmt.services.browse.listing import list_runs
from bertmt.services.browse.score_columns import tasks_of
from bertmt.services.names import check_name
from bertmt.services.plan.submit import Plan, Request, plan
from bertmt.tasks.task import Tasks

OVERALL = "overall"
MOST_CHANGES = 40  # that are judged and shown, those with the most pairs: a sweep of one number can make hundreds
Unit = tuple[Pair, ...]


@dataclass(frozen=True)
class ToggleEffect:
    """A change of a toggle, its pairs, and its effects by task and on the overall score; judged as one family."""

    matched: Matched
    effects: tuple[Effect, ...]

    @property
    def change(self) -> Change:
        """The toggle and its two values."""
        return self.matched.change


@dataclass(frozen=True)
class Effects:
    """All of them, those with the most pairs first.

    Attributes:
        tasks: what the runs of the pairs train.
        runs: how many finished runs were looked at.
        left_out: how many further changes there are, of fewer pairs.
    """

    toggles: tuple[ToggleEffect, ...]
    tasks: Tasks
    runs: int
    left_out: int = 0

    @property
    def lacking(self) -> tuple[Lacking, ...]:
        """Runs that would complete a pair, each once."""
        found = {(each.like.key, each.seed): each for toggle in self.toggles for each in toggle.matched.lacking}
        return tuple(found.values())


def effects(database: Database, query: str = "") -> Effects:
    """The effects of all toggles that matched pairs differ in.

    Args:
        query: only runs that match, as in `bertmt runs --filter`; "": all.

    Raises:
        UsageError: the query is not understood.
        NotFoundError: no two finished runs differ in one toggle alone.
    """
    return effects_of(database, [row.run for row in list_runs(database, query)] if query else all_runs(database))


def effects_of(database: Database, runs: Collection[Run]) -> Effects:
    """The same of runs that were read before.

    Raises:
        NotFoundError: no two finished runs differ in one toggle alone.
    """
    finished = sum(run.state is State.FINISHED for run in runs)
    found = matched_pairs(runs)
    if not found:
        raise NotFoundError(
            f"No two of {finished:,} finished runs have the same seed, scale and data and differ in one toggle alone; "
            "`bertmt queue --from RUN --set TOGGLE=VALUE` makes such a run."
        )
    read, shown = ReadInfluences(database), found[:MOST_CHANGES]
    measured = [ToggleEffect(each, tuple(_effects(read, each.units))) for each in shown]
    tasks = tasks_of(run for each in shown for pair in each.pairs for run in (pair.a, pair.b))
    return Effects(_judged(measured), tasks, finished, len(found) - len(shown))


def lacking_plan(lacking: Sequence[Lacking], folder: Path) -> Plan:
    """The runs that would complete pairs, planned as `bertmt queue --from` plans them.

    Raises:
        BertmtError: one cannot be queued, as its data or encoder are gone.
    """
    planned = [
        plan(Request(from_run=each.like, name=_name_like(each.like), seeds=(each.seed,), folder=folder))
        for each in lacking
    ]
    remarks = dict.fromkeys(remark for each in planned for remark in each.remarks)
    return dataclasses.replace(
        planned[0], runs=tuple(run for each in planned for run in each.runs), remarks=tuple(remarks)
    )


def _name_like(run: Run) -> str:
    """The run's own name, or its id where a registry from elsewhere gave it one that none can have here."""
    try:
        check_name(run.name)
    except UsageError:
        return run.id
    return run.name


def _judged(measured: Sequence[ToggleEffect]) -> tuple[ToggleEffect, ...]:
    """Corrected over everything that is shown."""
    family = iter(judge([effect for each in measured for effect in each.effects]))
    return tuple(dataclasses.replace(each, effects=tuple(next(family) for _ in each.effects)) for each in measured)


def _effects(read: ReadInfluences, units: Sequence[Unit]) -> Iterator[Effect]:
    """Of each task that pairs share, and of the overall score where both runs of pairs have it of the same tasks.

    Args:
        units: pairs that share a run stand together, and count as one: their mean.
    """
    tasks = dict.fromkeys(task for unit in units for pair in unit for task in pair.a.tasks if task in pair.b.tasks)
    for task in tasks:
        scored = _those(units, lambda pair, task=task: _has(pair, task))  # type: ignore[misc]
        if scored:
            yield average_effect(task, _differences(scored, task), _groups(read, scored, {task: 1.0}))
    scored = _those(units, lambda pair: _has(pair, OVERALL) and set(pair.a.tasks) == set(pair.b.tasks))
    if scored:
        known = scored[0][0].a.tasks
        alike = all(set(pair.a.tasks) == set(known) for unit in scored for pair in unit)
        weights = {name: overall_weight(about, len(known)) for name, about in known.items()}
        yield average_effect(OVERALL, _differences(scored, OVERALL), _groups(read, scored, weights) if alike else ())


def _has(pair: Pair, score: str) -> bool:
    return pair.a.score(score) is not None and pair.b.score(score) is not None


def _those(units: Iterable[Unit], fits: Callable[[Pair], bool]) -> list[Unit]:
    """The pairs that fit, by unit; no unit without one."""
    kept = (tuple(pair for pair in unit if fits(pair)) for unit in units)
    return [unit for unit in kept if unit]


def _differences(units: Iterable[Unit], score: str) -> list[float]:
    return [fmean((pair.b.score(score) or 0.0) - (pair.a.score(score) or 0.0) for pair in unit) for unit in units]


def _groups(read: ReadInfluences, units: Sequence[Unit], weights: Mapping[str, float]) -> list[list[np.ndarray]]:
    """What examples add to the units' differences, by dev set; nothing at all where it is not known of every pair."""
    groups: dict[tuple[str, str], list[np.ndarray]] = {}
    for unit in units:
        for task, weight in weights.items():
            own = [read.of_pair(pair.a, pair.b, task) for pair in unit]
            known = [each for each in own if each is not None]
            if len(known) < len(own) or len({mark for mark, _ in known}) > 1:
                return []
            groups.setdefault((task, known[0][0]), []).append(weight * np.mean([each for _, each in known], axis=0))
    return list(groups.values())
