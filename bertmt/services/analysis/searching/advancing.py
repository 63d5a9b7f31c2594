"""Taking a search one step on. All that it must remember is in the registry, and each step is one transaction: a
process that is killed between two of them loses nothing, and the next one trains nothing twice."""

from collections.abc import Callable

from msgspec.structs import replace as replace_struct

from bertmt.errors import NotFoundError, UsageError
from bertmt.recipe.loading import from_json
from bertmt.recipe.rules import read_recipe, unresolved
from bertmt.registry.database import Database
from bertmt.registry.edits import store_pause
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key
from bertmt.registry.searches.rows import end_search, store_plan, store_rung, store_runs, trials_of
from bertmt.registry.states import Actor, State
from bertmt.registry.workers import running_workers
from bertmt.services.analysis.searching.beginning import add, planned_trials
from bertmt.services.analysis.searching.decisions import (
    Decision,
    Drop,
    End,
    Promote,
    Settle,
    Start,
    Wait,
    decide,
    in_words,
)
from bertmt.services.analysis.searching.drawing_recipes import next_recipes
from bertmt.services.analysis.searching.looking import Looked, Tried, look
from bertmt.services.analysis.searching.plan import to_text
from bertmt.services.analysis.searching.scoring import Scorer
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.control import resume
from bertmt.services.plan.submit import Request


def advance(database: Database, name: str, say: Callable[[str], None], scorer: Scorer) -> Looked:
    """Do all that can be done now, and return where the search stands then: it has ended, or runs must come farther.

    Args:
        say: is told what is done, a sentence each time.

    Raises:
        UsageError: no run of it is left to make the next recipe from.
    """
    ingest_running(database)
    while True:
        looked = look(database, name, scorer)
        scorer.keep_masks()
        if looked.search.ended_at is not None:
            return looked
        decision = _decision(database, looked)
        if isinstance(decision, Wait):
            return looked
        if _act(database, looked, decision) and (said := in_words(decision, looked.plan)):
            say(said)


def _decision(database: Database, looked: Looked) -> Decision:
    slots = sum(len(worker.slots) for worker in running_workers(database)) or 1
    standings = [each.standing() for each in looked.tried]
    decision = decide(looked.plan, looked.search.runs, standings, looked.per_epoch, slots)
    if isinstance(decision, Settle) and looked.plan.runs is not None:
        return Settle(min(decision.runs, looked.plan.runs))
    return decision


def _act(database: Database, looked: Looked, decision: Decision) -> bool:
    """Do it, unless another process was faster; whether it was done."""
    if isinstance(decision, Start):
        return _start(database, looked, decision.count)
    with database.durable():
        if not _is_as_seen(database, looked):
            return False
        match decision:
            case Settle(runs=runs):
                store_runs(database, looked.search.key, runs)
            case Promote(numbers=numbers, rung=rung):
                chosen = [each for each in looked.tried if each.trial.number in numbers]
                if any(_has_changed(database, each.run) for each in chosen):
                    return False
                for each in chosen:
                    _promote(database, looked, each, rung)
            case Drop(numbers=numbers):
                for each in looked.tried:
                    if each.trial.number in numbers and each.run is not None:
                        _drop(database, each.run)
            case End(why=why):
                end_search(database, looked.search.key, why)
    return True


def _is_as_seen(database: Database, looked: Looked) -> bool:
    """Whether nobody else has gone on with the search since it was looked at; inside a write transaction."""
    return trials_of(database, looked.search.key) == looked.trials


def _has_changed(database: Database, run: Run | None) -> bool:
    """Whether a run is in another state than when it was looked at: a person resumed, cancelled or deleted it."""
    try:
        return run is not None and run_by_key(database, run.key).state is not run.state
    except NotFoundError:
        return True


def _promote(database: Database, looked: Looked, tried: Tried, rung: int) -> None:
    store_rung(database, tried.trial, rung)
    if tried.run is not None and tried.run.state is State.PAUSED:
        resume(database, tried.run)
        store_pause(database, tried.run.key, looked.plan.pause_at(rung))


def _drop(database: Database, run: Run) -> None:
    if run_by_key(database, run.key).state is State.QUEUED:
        change_state(database, run.key, State.CANCELLED, Actor.PERSON, "not begun: the budget of its search is used up")


def _start(database: Database, looked: Looked, count: int) -> bool:
    """Queue more recipes, made from the run of one that was tried: the preset or file may be another by now."""
    origin = next((each.run for each in looked.tried if each.run is not None), None)
    if origin is None:
        raise UsageError(f"No run of the search {looked.search.name} is left: begin a new one.")
    plan, explicit = looked.plan, looked.plan.explicit
    base = read_recipe(explicit, unresolved(from_json(origin.submission.recipe_json, origin.known)))[0]
    known = [*(each.trial.settings for each in looked.tried), *plan.refused]
    scored = [
        (each.trial.settings, each.halves.chosen_by) for each in looked.tried if each.halves.chosen_by is not None
    ]
    drawn = next_recipes(plan, base, known, scored, count)
    first = len(looked.tried) + 1
    queueing = origin.queueing
    request = Request(
        from_run=origin, values=explicit, tags=(*plan.tags, looked.search.name), note=plan.note,
        priority=queueing.priority, wants=queueing.wants,
        checkpoint_dir=origin.submission.checkpoint_dir, folder=database.path.parent,
    )  # fmt: skip
    planned = planned_trials(request, looked.search.name, plan, drawn, first)  # reads data, which takes its time
    with database.durable():
        if not _is_as_seen(database, looked):
            return False
        if len(drawn) < count:  # there are no more
            store_runs(database, looked.search.key, len(looked.tried) + len(planned.trials))
        if planned.refused != plan.refused:
            store_plan(database, looked.search.key, to_text(replace_struct(plan, refused=planned.refused)))
        if planned.trials:
            add(database, looked.search, request, plan, planned.trials, first)
    return True
