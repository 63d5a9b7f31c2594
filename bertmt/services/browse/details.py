"""Everything that is known of one run, gathered for whoever shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from bertmt.errors import BertmtError
from bertmt.recipe.loading import differences, from_json
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.reported import ReportedScores, reported_scores
from bertmt.recipe.rules import resolved
from bertmt.recipe.settings import Role
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.queue import count_before
from bertmt.registry.records import Evaluation, Run, Snapshot, Transition
from bertmt.registry.runs import evaluations, snapshot_of, transitions
from bertmt.registry.states import State
from bertmt.run_folder.event_files import tail_lines
from bertmt.services.browse.baseline import Baselines
from bertmt.services.browse.rows import mean_difference
from bertmt.services.browse.times.throughput import Speeds
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.services.lifecycle.budgets import told_of_budget
from bertmt.services.plan.overlaps import commonest_sentences, overlap_sentences
from bertmt.services.plan.preset_list import known_preset
from bertmt.services.plan.snapshot import code_digest

LOG_LINES = 40


@dataclass(frozen=True, kw_only=True)
class Details:
    """One run with all that belongs to it.

    Attributes:
        baseline, difference: as in a list of runs.
        place: in the queue, 1 is next; None unless it is queued.
        budget: what it shares with others and how much of that is used; "": it has none.
        recipe: None where a newer version wrote one that this version cannot read.
        changes: toggles that differ from the preset that it was queued from: name to (preset's, run's).
        paper: what the paper reports of its preset.
        code_changed: whether the installed code differs from the code at submit.
        steps_per_second: of a running run, over its newest steps.
        tokens_per_second: median over the steps; padding_share: mean over the steps.
        log: the last lines of a failed or lost run's log.
        remarks: what is known of its dev data, then what the run says of itself; sentences.
    """

    run: Run
    baseline: Run | None
    difference: float | None
    place: int | None
    budget: str
    recipe: Recipe | None
    changes: Mapping[str, tuple[Any, Any]]
    paper: ReportedScores | None
    evaluations: Sequence[Evaluation]
    transitions: Sequence[Transition]
    steps_per_second: float | None
    tokens_per_second: float | None
    padding_share: float | None
    snapshot: Snapshot
    code_changed: bool
    folder: Path
    log: Sequence[str]
    remarks: Sequence[str]


def details_of(database: Database, run: Run, baselines: Baselines | None = None) -> Details:
    """Gather everything, the newest events of a live run imported.

    Args:
        baselines: those of the runs that a caller knows already; without, all runs are read.
    """
    run = bring_up_to_date(database, run)
    recipe = _recipe(run)
    baseline = (baselines or Baselines(database)).of(run)
    snapshot = snapshot_of(database, run)
    folder = folder_of(database, run)
    finished = run.progress.finished
    ended_badly = run.state in (State.FAILED, State.LOST)
    series = metrics.read(database, run.key, ("tokens_per_second", "padding_share"))
    speeds, shares = ([value for _, value in points if value is not None] for points in series.values())
    return Details(
        run=run,
        baseline=baseline,
        difference=mean_difference(run, baseline),
        place=_place(database, run),
        budget=told_of_budget(database, run),
        recipe=recipe,
        changes=_changes(database, run, recipe),
        paper=reported_scores(run.submission.preset) if run.submission.preset else None,
        evaluations=evaluations(database, run),
        transitions=transitions(database, run.key),
        steps_per_second=Speeds(database).of([run]).get(run.id),
        tokens_per_second=median(speeds) if speeds else None,
        padding_share=fmean(shares) if shares else None,
        snapshot=snapshot,
        code_changed=snapshot.code_digest != code_digest(),
        folder=folder.path,
        log=tail_lines(folder.log(run.attempt), LOG_LINES) if ended_badly else (),
        remarks=(
            *commonest_sentences(database, run),
            *overlap_sentences(database, run),
            *(finished.remarks if finished is not None else ()),
        ),
    )


def history_of(database: Database, run: Run) -> list[Transition]:
    """Every change of its state, the first one first."""
    return transitions(database, run.key)


def _recipe(run: Run) -> Recipe | None:
    try:
        return from_json(run.submission.recipe_json, run.known)
    except BertmtError:
        return None


def _changes(database: Database, run: Run, recipe: Recipe | None) -> dict[str, tuple[Any, Any]]:
    """Toggles that differ from the preset named at submit; its scale is the run's own, so that defaults agree."""
    if recipe is None or run.submission.from_preset is None:
        return {}
    try:
        preset = known_preset(database.path.parent, run.submission.from_preset)
        return differences(recipe, resolved(preset.recipe(run.known)), (Role.TOGGLE,))
    except BertmtError:  # of another version, or the user's own, which is gone or names tasks that the run lacks
        return {}


def _place(database: Database, run: Run) -> int | None:
    if run.state is not State.QUEUED:
        return None
    return count_before(database, run) + 1
