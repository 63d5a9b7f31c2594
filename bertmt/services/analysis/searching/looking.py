"""Where a search stands: its recipes with their runs, scores and seconds of training."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bertmt.comparison.held_out import Halves
from bertmt.registry.database import Database
from bertmt.registry.finding import removed_with_ids, runs_with_ids
from bertmt.registry.records import Run
from bertmt.registry.runs import transitions
from bertmt.registry.searches.records import Search, Trial
from bertmt.registry.searches.rows import search_named, trials_of
from bertmt.registry.states import State
from bertmt.registry.summaries import evaluated_epoch
from bertmt.run_folder.events import now
from bertmt.services.analysis.searching.decisions import Standing
from bertmt.services.analysis.searching.plan import SearchPlan, read_plan
from bertmt.services.analysis.searching.scoring import NO_HALVES, Scorer, scorer_of

OPEN = (State.QUEUED, State.RUNNING)
SETTLED = (State.PAUSED, State.FINISHED)  # what a person cancelled or holds is not let go on


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A recipe that a search tried.

    Attributes:
        run: None: it was deleted for good.
        is_removed: its run is out of sight, so that it is not let go on.
        first: its scores at the first rung, before any of the recipes was chosen.
        at_rung: those at the rung that it was let go to, by which it goes on; undefined where it has not come there.
        halves: those of its end, or else at its rung.
        epochs: how far it has come: the newest that it was evaluated after.
        seconds: of training so far.
        is_short: it paused before its rung, as a person wanted it to; the search waits until it is resumed.
    """

    trial: Trial
    run: Run | None
    first: Halves
    at_rung: Halves
    halves: Halves
    epochs: int
    seconds: float
    is_short: bool = False
    is_removed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it was trained to its end."""
        return self.run is not None and self.run.state is State.FINISHED

    @property
    def is_scored(self) -> bool:
        """Whether the choice could fall on it."""
        return any(each.chosen_by is not None for each in (self.first, self.halves))

    def standing(self) -> Standing:
        """What decisions need of it."""
        is_open = self.run is not None and (self.run.state in OPEN or self.is_short) and not self.is_removed
        never_began = is_open and self.run is not None and self.run.attempt == 0
        may_go_on = self.run is not None and self.run.state in SETTLED and not self.is_removed
        return Standing(
            number=self.trial.number, rung=self.trial.rung, is_open=is_open, never_began=never_began,
            score=self.at_rung.chosen_by if may_go_on else None, seconds=self.seconds,
        )  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """A search as it is now."""

    search: Search
    plan: SearchPlan
    tried: tuple[Tried, ...]

    @property
    def trials(self) -> list[Trial]:
        """Its rows."""
        return [each.trial for each in self.tried]

    @property
    def seconds(self) -> float:
        """Of training, all runs together."""
        return math.fsum(each.seconds for each in self.tried)

    @property
    def per_epoch(self) -> float | None:
        """Seconds of training an epoch took on average; None before one was.

        What failed or was cancelled may have waited or died anywhere between two epochs, and tells nothing.
        """
        settled = [each for each in self.tried if each.epochs and each.run is not None and each.run.state in SETTLED]
        epochs = sum(each.epochs for each in settled)
        return math.fsum(each.seconds for each in settled) / epochs or None if epochs else None


def look(database: Database, name: str, scorer: Scorer | None = None) -> Looked:
    """The search of that name.

    Args:
        scorer: one that has scored before; a new one by default.

    Raises:
        NotFoundError: there is none.
        DataError: the registry does not hold what a search is.
    """
    search = search_named(database, name)
    plan, trials = read_plan(search.plan), trials_of(database, search.key)
    scorer = scorer or scorer_of(database, name)
    ids = [each.run for each in trials]
    removed = {run.id: run for run in removed_with_ids(database, ids)}
    runs = removed | {run.id: run for run in runs_with_ids(database, ids)}
    found = [_tried(database, plan, each, runs.get(each.run), scorer) for each in trials]
    return Looked(search, plan, tuple(replace(each, is_removed=each.trial.run in removed) for each in found))


def _tried(database: Database, plan: SearchPlan, trial: Trial, run: Run | None, scorer: Scorer) -> Tried:
    if run is None:
        return Tried(trial=trial, run=None, first=NO_HALVES, at_rung=NO_HALVES, halves=NO_HALVES, epochs=0, seconds=0.0)
    is_whole = run.state is State.FINISHED
    selected = run.scores.selected_epoch
    first = scorer.halves(run, plan.rungs[0]) if len(plan.rungs) > 1 else NO_HALVES
    is_last = trial.rung >= plan.last
    at_rung = NO_HALVES if is_last else scorer.halves(run, plan.rungs[trial.rung])
    halves = scorer.halves(run, selected) if is_whole else at_rung
    if is_whole and at_rung.chosen_by is None:  # it ended before the rung, or is at the last
        at_rung = halves
    first = first if first.chosen_by is not None or not is_whole else halves  # it ended before the first rung
    epochs = evaluated_epoch(database, run.key)
    is_short = run.state is State.PAUSED and (is_last or epochs < plan.rungs[trial.rung])
    return Tried(
        trial=trial, run=run, first=first, at_rung=at_rung, halves=halves, epochs=epochs,
        seconds=training_seconds(database, run), is_short=is_short,
    )  # fmt: skip


def training_seconds(database: Database, run: Run) -> float:
    """How long a run has been worked so far, all attempts together."""
    total, since = 0.0, None
    for change in transitions(database, run.key):
        if change.state_before == change.state_after:
            continue
        if change.state_after == State.RUNNING:
            since = change.at
        elif since is not None:
            total, since = total + _between(since, change.at), None
    return total if since is None else total + _between(since, now())


def _between(start: str, end: str) -> float:
    try:
        first, last = (datetime.fromisoformat(each) for each in (start, end))
    except ValueError:  # a damaged time
        return 0.0
    zoned = [each if each.tzinfo else each.replace(tzinfo=UTC) for each in (first, last)]
    return max((zoned[1] - zoned[0]).total_seconds(), 0.0)
