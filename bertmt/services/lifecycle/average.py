"""`bertmt average`: the mean of what several runs predict, as a run without training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.numbers import named
from bertmt.errors import BusyError, DataError, NotFoundError, Problems, UsageError
from bertmt.recipe.loading import from_json
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.finding import averages, runs_named
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.run_folder.predictions import Predictions
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.services.ingest.untrained import SPLIT, Predicted, Untrained, store_untrained
from bertmt.services.names import LONGEST_NAME, check_name
from bertmt.tasks.mean_predictions import mean_of
from bertmt.tasks.scores import on_label_scale
from bertmt.tasks.task import Task

ENDING = "-average"
# One run's numbers this much wider apart than another's decide most of the mean: worth a sentence.
WIDER = 2.0
# What gets a run on that is not finished; one that is held or has stopped would be waited for in vain.
_TO_BE_FINISHED = {State.QUEUED: "wait", State.RUNNING: "wait", State.HELD: "release", State.PAUSED: "resume"}
_OWN = ("seed", "keep_model", "data", "extra_data_file")


def average(database: Database, runs: Sequence[Run], name: str | None = None) -> Run:
    """Store the average of runs; its recipe is the first run's, with `members`.

    Args:
        name: by default the first run's, with "-average" behind it.

    Raises:
        UsageError, BusyError, NotFoundError, DataError: with all that is wrong with the request.
        RegistryError: the registry cannot be written.
    """
    runs = [bring_up_to_date(database, run) for run in runs]
    name = runs[0].name[: LONGEST_NAME - len(ENDING)] + ENDING if runs and name is None else name or ""
    problems = Problems()
    problems.attempt(check_name, name)
    if len(runs) < 2:
        problems.add(UsageError("An average is of two runs or more: name them, or a name that several seeds share."))
    for run in runs:
        problems.attempt(_refuse_unfit, run)
    problems.raise_all()
    members = tuple(run.id for run in runs)
    _refuse_known(database, name, members)
    predicted = {task: _mean(database, runs, task) for task in _tasks(runs)}
    first = from_json(runs[0].submission.recipe_json, runs[0].known)
    place = {"data": runs[0].submission.data, "extra_data_file": runs[0].submission.extra_data_file}
    recipe = first.with_values({"members": members, "keep_model": False, **place})
    return store_untrained(
        database,
        Untrained(
            name=name,
            recipe=recipe,
            predicted=predicted,
            fingerprints=_shared([run.submission.fingerprints for run in runs]),
            encoder_fingerprints=_shared([run.submission.encoder_fingerprints for run in runs]),
            effort=_effort(runs) | {"remarks": _remarks(database, runs, recipe)},
        ),
        f"the predictions of {named(list(members))}, which it averages",
    )


def _refuse_unfit(run: Run) -> None:
    if run.state is not State.FINISHED:
        verb = _TO_BE_FINISHED.get(run.state, "requeue")
        raise BusyError(f"Run {run.id} is {run.state}, and only finished runs are averaged: `bertmt {verb} {run.id}`.")
    if run.recipe.get("members"):
        own = " ".join(run.recipe["members"])
        raise UsageError(f"Run {run.id} is an average itself: name its runs in its place, {own}.")


def _refuse_known(database: Database, name: str, members: Sequence[str]) -> None:
    for run in averages(database):
        if set(run.recipe["members"]) == set(members):
            raise BusyError(f"Run {run.id} ({run.name}) is the average of these runs already.")
    # Runs of one name are the seeds of a recipe; of averages nobody could tell which is meant.
    for run in runs_named(database, name)[:1]:
        raise BusyError(f"Run {run.id} is called {name!r} already: choose another name with --name.")


def _tasks(runs: Sequence[Run]) -> Mapping[str, Task]:
    """The tasks of the runs.

    Raises:
        UsageError: they are not the same ones.
    """
    first, *others = runs
    for run in others:
        if set(run.tasks) != set(first.tasks):
            listed = f"{', '.join(first.tasks)} and {', '.join(run.tasks)}"
            raise UsageError(f"Runs {first.id} and {run.id} have different tasks, {listed}: only equal ones average.")
        for name, task in first.tasks.items():
            if run.tasks[name].asked != task.asked:
                raise UsageError(f"Runs {first.id} and {run.id} define {name} differently: only equal tasks average.")
    return first.tasks


def _mean(database: Database, runs: Sequence[Run], task: str) -> Predicted:
    """The mean of what runs predict of a task's dev split.

    Raises:
        NotFoundError: the predictions of one, or their examples, are not stored.
        DataError: they are of different examples.
    """
    found = [_predictions(database, run, task) for run in runs]
    for run, each in zip(runs, found, strict=True):
        if each.fingerprint != found[0].fingerprint or each.probabilities.shape != found[0].probabilities.shape:
            raise DataError(
                f"Runs {runs[0].id} and {run.id} were evaluated on different dev examples of {task}, so they have no "
                "average."
            )
    examples = stored_predictions.examples(database, found[0].fingerprint)
    if not examples:
        raise NotFoundError(f"The dev examples of {task} are not in this registry, so an average cannot be scored.")
    return Predicted(examples, found[0].fingerprint, mean_of([each.probabilities for each in found]))


def _predictions(database: Database, run: Run, task: str) -> Predictions:
    epoch = run.scores.selected_epoch
    found = None if epoch is None else stored_predictions.read(database, run.key, task, epoch, SPLIT)
    if found is None:
        raise NotFoundError(f"Run {run.id} has no {task} predictions of its selected epoch, so it cannot be averaged.")
    return found


def _shared(marks: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    first, *others = marks
    return {name: mark for name, mark in first.items() if all(each.get(name) == mark for each in others)}


def _effort(runs: Sequence[Run]) -> dict[str, Any]:
    """What the runs did together, as a `Finished` event tells it."""
    told = [run.progress.finished for run in runs]
    ended = [each for each in told if each is not None]
    sums = {}
    for part in ("seconds", "examples", "tokens", "passes"):
        total: Counter[str] = Counter()
        for each in ended:
            total.update(getattr(each, part))
        sums[part] = dict(total)
    memory = [each.peak_memory_mib for each in ended if each.peak_memory_mib is not None]
    return {**sums, "step": sum(each.step for each in ended), "peak_memory_mib": max(memory, default=None)}


def _remarks(database: Database, runs: Sequence[Run], recipe: Recipe) -> list[str]:
    """What it is the average of, and what a reader must know of that."""
    said = [
        f"The mean of what {named([f'{run.id} ({run.name}, seed {run.seed})' for run in runs])} predict; steps, "
        "examples and seconds are those of all of them together."
    ]
    differing = [name for name in recipe.settings() if name not in _OWN and name != "members" and _differs(runs, name)]
    if differing:
        said.append(f"They differ in {', '.join(differing)}: the recipe is the one of {runs[0].id}.")
    return said + [sentence for task in recipe.trained().values() for sentence in _spreads(database, runs, task)]


def _differs(runs: Sequence[Run], name: str) -> bool:
    return any(
        run.recipe.get(name, SETTINGS[name].default) != runs[0].recipe.get(name, SETTINGS[name].default) for run in runs
    )


def _spreads(database: Database, runs: Sequence[Run], task: Task) -> list[str]:
    """Whose numbers count most in the mean, where a loss such as Pearson's leaves their scale open."""
    if task.classes:
        return []
    found = [on_label_scale(task, _predictions(database, run, task.name).probabilities) for run in runs]
    widths = [float(np.std(each)) for each in found]
    wide, narrow = max(widths), min(widths)
    if not narrow or wide / narrow < WIDER:
        return []
    names = [runs[widths.index(width)].id for width in (wide, narrow)]
    return [
        f"{task.title}: the predictions of {names[0]} lie {numbers.score(wide / narrow, 1)} times as far apart as "
        f"those of {names[1]}, and so count more in the mean."
    ]
