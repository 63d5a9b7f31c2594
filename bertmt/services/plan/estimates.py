"""How long runs will take, judged by runs that finished; without such a run nothing is said."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from bertmt.devices.gpus import list_gpus
from bertmt.drawing import numbers
from bertmt.errors import BertmtError
from bertmt.recipe.loading import from_json, to_json
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.step_plan import StepPlan, batch_count, evaluation_count, plan_steps
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.registry.workers import running_workers
from bertmt.services.plan.data_check import batches_per_pass, check_data, pretraining_steps

CPU, GPU = "cpu", "cuda"
# Runs of one kind differ in what else the machine had to do: the median of the newest few counts.
MOST_EVIDENCE = 5
SURE_STEPS = 20  # after which a running run's own speed is believed, or after half of its steps
NO_EVIDENCE = "No estimate: no finished run with this encoder on such a device."


@dataclass(frozen=True)
class Estimate:
    """How long planned runs will take.

    Attributes:
        seconds: of each planned run; None where there is nothing to judge by.
        rests_on: ids of the finished runs that it is judged by.
        differences: settings in which those differ from the planned runs, where they weigh on the time.
    """

    seconds: tuple[float | None, ...]
    rests_on: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def total(self) -> float | None:
        """Seconds of all runs one after another; None unless each is known."""
        known = [each for each in self.seconds if each is not None]
        return sum(known) if known and len(known) == len(self.seconds) else None

    def sentence(self) -> str:
        """The estimate for people, with what it rests on."""
        known = [each for each in self.seconds if each is not None]
        if not known:
            return NO_EVIDENCE
        low, high = numbers.duration(min(known)), numbers.duration(max(known))
        one = f"About {high}" if low == high else f"About {low} to {high}"
        every = f" each, {numbers.duration(self.total)} one after another" if len(known) > 1 else ""
        missing = len(self.seconds) - len(known)
        unknown = f" ({missing} more cannot be estimated)" if missing else ""
        differing = f", where not all is the same: {', '.join(self.differences)}" if self.differences else ""
        return f"{one}{every}{unknown}, judged by {', '.join(self.rests_on)}{differing}."


@dataclass(frozen=True)
class Effort:
    """What there is to do in a run, or was.

    Attributes:
        batches: task batches of training.
        pretraining_steps: one batch each.
        evaluated: dev examples over all evaluations and tasks.
    """

    batches: int
    pretraining_steps: int
    evaluated: int


def estimate(
    database: Database, recipes: Sequence[Recipe], past: Iterable[Run] | None = None, device: str = ""
) -> Estimate:
    """How long runs of these recipes will take; early stopping may end them sooner.

    Args:
        recipes: resolved; their data is read, once while its files stay the same.
        past: runs to look for finished and running ones among; the registry's if None.
        device: "cpu" or "cuda"; where it is left out, what the alive workers have, or else this machine.

    Raises:
        UsageError, DataError: the data cannot be used.
    """
    kind = device or _device_kind(database)
    runs = list(runs_in(database, State.FINISHED, State.RUNNING) if past is None else past)
    finished = [run for run in runs if run.state == "finished" and device_kind(run) == kind]
    running = [run for run in runs if run.state == "running" and device_kind(run) == kind]
    found: dict[str, tuple[float | None, list[Run]]] = {}
    seconds: list[float | None] = []
    rests_on: dict[str, None] = {}
    differences: dict[str, None] = {}
    for recipe in recipes:
        # Seeds of one recipe take equally long.
        key = recipe.with_values({"seed": 0}).digest() + recipe.data
        if key not in found:
            found[key] = _judge_by_running(recipe, running) or _judge(recipe, finished)
        one, evidence = found[key]
        seconds.append(one)
        rests_on |= dict.fromkeys(run.id for run in evidence)
        differences |= dict.fromkeys(name for run in evidence for name in _differences(recipe, run))
    return Estimate(tuple(seconds), tuple(rests_on), tuple(differences))


def whole_seconds(run: Run) -> float | None:
    """How long a running run takes in all at its own speed, from what its child says is left; None until it is sure.

    Every front end shows its time left, so what is said of its whole time, and of runs like it, must agree with that.
    """
    told, started_at = run.progress, run.execution.started_at
    if run.state != "running" or told.seconds_left is None or told.step is None or not told.steps_total:
        return None
    done = told.step + 1
    if done < min(SURE_STEPS, told.steps_total / 2):
        return None
    resumes = told.started is not None and told.started.resumes
    if not resumes and started_at and told.last_event_at:
        try:
            taken = datetime.fromisoformat(told.last_event_at) - datetime.fromisoformat(started_at)
            return max(taken.total_seconds(), 0.0) + told.seconds_left
        except (ValueError, TypeError):  # a damaged time
            return None
    # It went on from a checkpoint: nobody knows how long it took to come so far, nor how fast the machine was then.
    return told.seconds_left * told.steps_total / (told.steps_total - done) if done < told.steps_total else None


def durations_now(runs: Iterable[Run], running: Iterable[Run], kind: str = "") -> dict[int, float]:
    """How long runs take at the present speed of running ones that differ in nothing but the seed, by their keys.

    Args:
        kind: "cpu" or "cuda", the devices whose speed counts; "" is all.
    """
    speeds: dict[tuple[int, str], list[float]] = {}
    own: dict[int, float] = {}
    for run in running:
        whole = whole_seconds(run)
        if whole is not None:
            own[run.key] = whole
            if kind in ("", device_kind(run)):
                speeds.setdefault((id(run.submission.shared_recipe), run.submission.data), []).append(whole)
    known = {key: median(each) for key, each in speeds.items()}
    found = {run.key: known.get((id(run.submission.shared_recipe), run.submission.data)) for run in runs}
    return {key: seconds for key, seconds in found.items() if seconds is not None} | own


def kind_of(slots: Sequence[str]) -> str:
    """The kind by which runs are judged where there are such slots: a GPU where there is one."""
    return CPU if all(slot.startswith(CPU) for slot in slots) else GPU


def _device_kind(database: Database) -> str:
    slots = [slot for worker in running_workers(database) for slot in worker.slots]
    if slots:
        return kind_of(slots)
    return GPU if list_gpus() else CPU


def device_kind(run: Run) -> str:
    """ "cpu" or "cuda", as the child told, or the worker where it told nothing."""
    told = (run.progress.started.device if run.progress.started is not None else "") or run.execution.device or CPU
    return CPU if told.startswith(CPU) else GPU


def _judge_by_running(recipe: Recipe, running: Sequence[Run]) -> tuple[float | None, list[Run]] | None:
    """Seconds at the present speed of running runs of the recipe, and those; None where there are none."""
    own = _settings(json.loads(to_json(recipe)))
    alike = [
        (whole, run)
        for run in running
        if (whole := whole_seconds(run)) is not None
        and run.submission.data == recipe.data
        and _settings(run.submission.shared_recipe) == own
    ]
    return (median(whole for whole, _ in alike), [run for _, run in alike]) if alike else None


def _settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """All but the seed and where the data lies."""
    return {name: value for name, value in recipe.items() if name not in ("seed", "data", "extra_data_file")}


def _judge(recipe: Recipe, finished: Sequence[Run]) -> tuple[float | None, list[Run]]:
    """Seconds, and the runs that they are judged by: of the same encoder, the nearest kind, the newest few."""
    near: dict[int, list[Run]] = {}
    for run in finished:
        if run.submission.shared_recipe.get("encoder") == recipe.encoder:
            near.setdefault(len(_differences(recipe, run)), []).append(run)
    effort = None
    for distance in sorted(near):
        judged: list[tuple[float, Run]] = []
        for run in sorted(near[distance], key=lambda run: run.key, reverse=True):
            effort = effort or planned_effort(recipe)
            seconds = _seconds(recipe, effort, run)
            if seconds is not None:
                judged.append((seconds, run))
            if len(judged) == MOST_EVIDENCE:
                break
        if judged:
            return median(seconds for seconds, _ in judged), [run for _, run in judged]
    return None, []


def _differences(recipe: Recipe, run: Run) -> list[str]:
    """What weighs on the time of a batch and is not the same; LoRA only as on or off, its rank hardly counts."""
    own = {
        "tasks": list(recipe.tasks),
        "ensembling": recipe.ensembling,
        "LoRA": bool(recipe.lora.rank),
        "batch_size": recipe.batch_size,
        "max_length": recipe.max_length,
        "stages": list(recipe.stages),
        "pair_input": recipe.pair_input,
        "R-Drop": bool(recipe.r_drop),
        "data": recipe.data,
    }
    past = run.submission.shared_recipe
    switches = {"LoRA": bool(past.get("lora.rank")), "R-Drop": bool(past.get("r_drop"))}
    other = {**_OFF, **past, **switches, "data": run.submission.data}
    return [name for name, value in own.items() if other.get(name) != value]


# Of runs of older versions, which had no such settings.
_OFF = {"stages": ["multitask"], "pair_input": "separate"}


def sentences_read(recipe: Recipe, pair_input: str, r_drop: float) -> int:
    """How many sentences' tokens the encoders read for one example of each task.

    A pair that is read as one has the tokens of two sentences, one that is read as both of four; with R-Drop all are
    read twice.
    """
    of_pairs = 4 if pair_input == "both" else 2
    return sum(of_pairs if task.pair else 1 for task in recipe.trained().values()) * (2 if r_drop else 1)


def planned_effort(recipe: Recipe) -> Effort:
    """What a run of a recipe will do.

    Raises:
        UsageError, DataError: the data cannot be used.
    """
    checked = check_data(recipe)
    plan = plan_steps(recipe, batches_per_pass(recipe, checked.sizes))
    pretraining = pretraining_steps(recipe, checked.sizes)
    stages = len(recipe.stages)
    dev = (checked.sizes[f"{task}-dev"] for task in recipe.tasks)
    evaluated = sum(min(recipe.evaluate_examples or size, size) for size in dev)
    return Effort(plan.batches * stages, pretraining, evaluated * evaluation_count(recipe, recipe.epochs * stages))


def past_effort(run: Run) -> Effort | None:
    """What a finished run did, from what its child told; None where that is not enough."""
    started, finished = run.progress.started, run.progress.finished
    if started is None or finished is None:
        return None
    sizes = {name: size for name, size in started.split_sizes.items() if size}
    try:
        recipe = from_json(run.submission.recipe_json, run.known)
        before = sum(each["steps"] for each in started.pretraining.values())
        # The child's own sizes: PARA's training split holds the extra pairs there.
        plan: StepPlan = plan_steps(
            recipe, {task: batch_count(recipe, sizes[f"{task}-train"]) for task in recipe.tasks}
        )
        dev = sum(sizes[f"{task}-dev"] for task in recipe.tasks)
    except (BertmtError, KeyError, TypeError, AttributeError, ValueError):  # of another version, or damaged
        return None
    if finished.step < before:
        return None
    return Effort(plan.batches_in(finished.step - before), before, dev * evaluation_count(recipe, finished.epoch))


def _seconds(recipe: Recipe, effort: Effort, run: Run) -> float | None:
    """How long the planned effort takes at the speed of a past run."""
    past, told = past_effort(run), run.progress.finished.seconds if run.progress.finished is not None else {}
    batch_size = run.submission.shared_recipe.get("batch_size")
    training, pretraining = told.get("training"), told.get("pretraining")
    if past is None or not past.batches or not training or not batch_size:
        return None
    # A batch of twice as many examples is taken to need twice as long; the estimate says where it rests on that.
    per_step = training / past.batches * recipe.batch_size / batch_size
    before = run.submission.shared_recipe
    read_before = str(before.get("pair_input", "separate")), float(before.get("r_drop", 0.0))
    more = sentences_read(recipe, recipe.pair_input, recipe.r_drop) / sentences_read(recipe, *read_before)
    per_batch = per_step * more
    if past.pretraining_steps and pretraining:
        per_step = pretraining / past.pretraining_steps * recipe.batch_size / batch_size
    # Dev examples are read once, with R-Drop too.
    more = sentences_read(recipe, recipe.pair_input, 0) / sentences_read(recipe, read_before[0], 0)
    per_example = (told.get("evaluation") or 0.0) / past.evaluated * more if past.evaluated else 0.0
    fixed = (told.get("load") or 0.0) + ((told.get("saving") or 0.0) if recipe.keep_model else 0.0)
    parts = (effort.batches * per_batch, effort.pretraining_steps * per_step, effort.evaluated * per_example)
    return float(fixed + sum(parts))
