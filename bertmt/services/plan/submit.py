"""From a preset and some settings to queued runs; what can be refused is refused before the first is stored."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.devices.energy import is_measured
from bertmt.drawing.numbers import counted
from bertmt.encoders.find import find_encoder
from bertmt.errors import Problems, RecipeError, UsageError, reason_of
from bertmt.recipe.loading import from_json, parse_sweeps, read_toml, to_json
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import read_recipe, read_values, remarks, resolved, unresolved, with_present_names
from bertmt.recipe.settings import Role
from bertmt.registry.budgets.rows import Limits, add_budget
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_with_ids
from bertmt.registry.records import Awaited, Run
from bertmt.registry.runs import NewRun, add_runs
from bertmt.registry.sources import store_sources
from bertmt.registry.states import State
from bertmt.services.names import check_name, check_tag
from bertmt.services.plan.data_check import CheckedData, check_data, epoch_sentence, extra_tasks
from bertmt.services.plan.embedded import SAID, embedded_defaults
from bertmt.services.plan.encoder_check import check_encoder
from bertmt.services.plan.overlaps import Overlap, store_overlaps
from bertmt.services.plan.own_code import Sources, require_sources, settle_own_code
from bertmt.services.plan.preset_list import equal_preset, known_preset
from bertmt.services.plan.recipes import known_of
from bertmt.services.plan.snapshot import take_snapshot
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks.cs224n import missing_files
from bertmt.tasks.task import Tasks

FOLLOWING = ("learning_rate", "head_learning_rate", "lora.alpha")  # what `unresolved` leaves out
DATA_SETTINGS = ("data", "tasks", "extra_data", "extra_data_file", "extra_data_limit")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks to be queued; exactly one of `preset`, `file` and `from_run` names the recipe.

    Attributes:
        values: `--set` and flags, dotted; they win over everything.
        sweeps: `key=a,b,c`; all combinations are queued, each with all seeds.
        seeds: none means the recipe's own; raw, as in `values`.
        priority: higher ones are started first.
        not_before_at: UTC, ISO 8601; None: at any time.
        wants: "cpu" or "gpu": which devices may take them; "": all.
        checkpoint_dir: a folder for checkpoints; "": the run folders.
        awaits: the runs that must have ended before they may start.
        pause_after: the epoch after which they pause by themselves; 0: they train to their end.
        budget: how much they may use together; None: no bound.
        folder: of the registry, beside which a user's own tasks and presets lie; None: there are only built-in ones.
    """

    preset: str | None = None
    file: Path | None = None
    from_run: Run | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    sweeps: tuple[str, ...] = ()
    seeds: tuple[int | str, ...] = ()
    name: str | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    hold: bool = False
    first: bool = False
    priority: int = 0
    not_before_at: str | None = None
    wants: str = ""
    checkpoint_dir: str = ""
    awaits: tuple[Awaited, ...] = ()
    pause_after: int = 0
    budget: Limits | None = None
    folder: Path | None = None

    def known(self) -> Tasks:
        """The tasks that its recipes may name; those of the run that it starts from where they are not defined now."""
        return known_of(self.folder, self.from_run)


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that would be queued.

    Attributes:
        sources: of losses and heads of the user's own.
        from_preset: that it is queued from; None: the request's.
    """

    name: str
    preset: str | None
    recipe: Recipe
    data: str
    extra_data_file: str
    fingerprints: Mapping[str, str]
    overlaps: Mapping[str, Overlap]
    encoder_fingerprints: Mapping[str, str] = field(default_factory=dict)
    sources: Sources = field(default_factory=dict)
    from_preset: str | None = None


@dataclass(frozen=True)
class Plan:
    """All runs of a request, and what a person should know before they are queued."""

    request: Request
    runs: tuple[PlannedRun, ...]
    remarks: tuple[str, ...]


def plan(request: Request, problems: Problems | None = None) -> Plan:
    """Work out and check every run of a request, without storing any.

    Args:
        problems: what is wrong with the request already; it is told together with what is found here.

    Raises:
        RecipeError, UsageError, DataError, EncoderError, NotFoundError: with every problem, before anything is queued.
    """
    problems = Problems() if problems is None else problems
    for word in request.tags:
        problems.attempt(check_tag, word)
    problems.attempt(_check_checkpoint_dir, request.checkpoint_dir)
    seeds = _seeds(request, problems)
    combinations = problems.attempt(parse_sweeps, request.sweeps) or [{}]
    start = problems.attempt(_base, request)
    if start is None:
        _judge_alone(request, problems)
        raise problems.error()
    base_name, base_values, base, unasked = start
    planned: list[PlannedRun] = []
    said: dict[str, None] = dict.fromkeys([SAID] if unasked else [])
    unusable: set[tuple[Any, ...]] = set()
    for combination in combinations:
        asked = dict(request.values) | combination
        recipe, encoder, checked = _looked_at(base_values | asked, base, problems, unusable)
        matched = equal_preset(recipe, request.folder, request.preset)
        name = problems.attempt(_name, request, base_name, combination, matched)
        if checked is None or name is None or problems:
            continue
        recipe = recipe.with_values({"data": checked.data, "extra_data_file": checked.extra_data_file})
        beside = request.file.parent if request.file else None
        named = None if request.from_run is None else with_present_names(asked)
        settled = problems.attempt(settle_own_code, recipe, beside, named)
        if settled is None:
            continue
        recipe, sources = settled
        said |= dict.fromkeys(_what_to_know(recipe, checked))
        for seed in seeds or (recipe.seed,):
            seeded = recipe.with_values({"seed": seed})
            planned.append(
                PlannedRun(
                    name=name,
                    preset=matched,
                    recipe=seeded,
                    data=checked.data,
                    extra_data_file=checked.extra_data_file,
                    fingerprints=checked.fingerprints,
                    overlaps=checked.overlaps,
                    encoder_fingerprints=encoder,
                    sources=sources,
                )
            )
    problems.raise_all()
    return Plan(request, tuple(planned), (*said, *_about_budget(request.budget)))


def _about_budget(limits: Limits | None) -> list[str]:
    """What it means for runs to have a budget."""
    if limits is None:
        return []
    bounds = {"h of training": limits.hours, "kWh": limits.kwh}
    parts = [f"{limit:g} {what}" for what, limit in bounds.items() if limit is not None]
    parts += [counted(limits.most_runs, "run")] if limits.most_runs is not None else []
    said = [f"These runs share a budget of {', '.join(parts)}; what is left of them is held once it is used up."]
    if limits.kwh is not None and not is_measured():
        said.append(
            "Nothing tells how much energy this machine draws: where that of no worker does either, only the first "
            "run is trained, and the others are held."
        )
    return said


def _what_to_know(recipe: Recipe, checked: CheckedData) -> list[str]:
    """Sentences about a recipe on its data."""
    overlaps = checked.overlaps.items()
    overlapping = [part for task, overlap in overlaps for part in overlap.sentences(recipe.task(task))]
    extra = [
        f"{counted(checked.sizes[f'{task.name}-extra'], 'extra pair is', 'extra pairs are')} added to "
        f"{task.title}'s training split."
        for task in extra_tasks(recipe)
    ]
    return [*checked.warnings, *overlapping, *remarks(recipe), epoch_sentence(recipe, checked.sizes), *extra]


def _seeds(request: Request, problems: Problems) -> list[int]:
    """The seeds, each once."""
    swept = any(text.partition("=")[0].strip() == "seed" for text in request.sweeps)
    if request.seeds and (swept or "seed" in request.values):
        problems.add(UsageError("The seed is given twice; use either --seed or --set seed=…."))
    read = [read_values({"seed": seed}) for seed in request.seeds]
    for _, found in read:
        if found:
            problems.add(RecipeError(found))
    return list(dict.fromkeys(parsed["seed"] for parsed, _ in read if parsed))


def _judge_alone(request: Request, problems: Problems) -> None:
    """Look at what was set where the recipe is unknown: what does not depend on the rest of it."""
    parsed, found = read_values(request.values, request.known())
    if found:
        problems.add(RecipeError(found))
    if "encoder" in parsed:
        problems.attempt(find_encoder, parsed["encoder"])
    if parsed.get("data", "") not in ("", "toy"):
        problems.attempt(missing_files, paths.expanded(parsed["data"]).absolute(), ())


def _looked_at(
    values: Mapping[str, Any], base: Recipe, problems: Problems, unusable: set[tuple[Any, ...]]
) -> tuple[Recipe, Mapping[str, str], CheckedData | None]:
    """A recipe as far as it can be read, its encoder's fingerprints and its data.

    Recipe, encoder and data are judged whatever is wrong elsewhere.

    Args:
        unusable: data that were refused before, which are not read again for every run of a sweep.
    """
    recipe, found, unread = read_recipe(values, base)
    if found:
        problems.add(RecipeError(found))
    recipe = resolved(recipe)
    encoder: Mapping[str, str] = {}
    if "encoder" not in unread:
        recipe, encoder = problems.attempt(check_encoder, recipe) or (recipe, encoder)
    place = tuple(recipe.value(name) for name in DATA_SETTINGS)
    if unread.intersection(DATA_SETTINGS) or place in unusable:
        return recipe, encoder, None
    checked = problems.attempt(check_data, recipe)
    if checked is None:
        unusable.add(place)
    return recipe, encoder, checked


def _base(request: Request) -> tuple[str, dict[str, Any], Recipe, Mapping[str, Any]]:
    """The name, the values and the recipe that a request starts from, and which of the values nobody asked for."""
    sources = [source for source in (request.preset, request.file, request.from_run) if source is not None]
    if len(sources) != 1:
        raise UsageError(
            "Name one recipe: --preset NAME (`bertmt presets` lists them), --file RECIPE.toml, or --from RUN."
        )
    known = request.known()
    if request.from_run is not None:
        stored = request.from_run.submission.recipe_json
        return request.from_run.name, {}, unresolved(from_json(stored, known)), {}
    settings = read_user_settings()
    if request.preset is not None:
        name, own = request.preset, dict(known_preset(request.folder, request.preset).values)
    else:
        assert request.file is not None
        name, own = request.file.stem, read_toml(request.file)
    swept = [text.partition("=")[0].strip() for text in request.sweeps]
    unasked = embedded_defaults((*own, *request.values, *swept))
    return name, {**unasked, **settings, **own}, Recipe(known=known), unasked


def explicit_values(request: Request) -> dict[str, Any]:
    """The settings that follow others where they are left out, as far as a request does not leave them out."""
    _, values, base, _ = _base(request)
    recipe = read_recipe(values | dict(request.values), base)[0]
    return {name: value for name in FOLLOWING if (value := recipe.value(name)) is not None}


def _name(request: Request, base: str, combination: Mapping[str, str], matched: str | None) -> str:
    """A swept run is called after the preset that it equals, or after what was swept.

    Only a sweep of toggles: one of the scale makes runs of one preset that must not share a name like seeds do.
    """
    name = request.name or base
    if combination:
        suffix = "-".join(f"{key.rpartition('.')[2]}{value}" for key, value in combination.items())
        is_method = all(SETTINGS[key].role is Role.TOGGLE for key in combination)
        name = matched if matched and is_method and not request.name else f"{name}-{suffix}"
    check_name(name)
    return name


def _check_checkpoint_dir(named: str) -> None:
    """Raise a UsageError where a folder for checkpoints will hardly be made; nothing is made yet."""
    if not named:  # which would be the working folder
        return
    folder = paths.expanded(named).absolute()
    try:
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        usable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except (OSError, ValueError) as problem:
        raise UsageError(f"--checkpoint-dir {folder} cannot be made: {reason_of(problem)}.") from None
    if not usable:
        why = "cannot be written" if nearest.is_dir() else "is not a folder"
        raise UsageError(f"--checkpoint-dir {folder} cannot be made: {nearest} {why}; choose a folder that you own.")


def _checkpoint_dir(named: str) -> str:
    """An absolute path: the child starts elsewhere.

    Raises:
        UsageError: it cannot be made or written.
    """
    if not named:
        return ""
    folder = paths.expanded(named).absolute()
    try:
        atomic_files.make_folder(folder)
    except (OSError, ValueError) as problem:
        raise UsageError(f"--checkpoint-dir {folder} cannot be made: {reason_of(problem)}.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--checkpoint-dir {folder} cannot be written: choose a folder that you own.")
    return str(folder)


def submit(database: Database, submitted: Plan) -> list[Run]:
    """Store the planned runs in one durable transaction; when this returns, they are queued.

    Raises:
        UsageError: the folder for checkpoints cannot be used, or a recipe from elsewhere has code of its own.
    """
    request = submitted.request
    new = [
        NewRun(
            name=each.name,
            preset=each.preset,
            from_preset=each.from_preset or request.preset,
            recipe_json=to_json(each.recipe),
            digest=each.recipe.digest(),
            seed=each.recipe.seed,
            data=each.data,
            extra_data_file=each.extra_data_file,
            fingerprints=each.fingerprints,
            state=State.HELD if request.hold else State.QUEUED,
            note=request.note,
            tags=request.tags,
            priority=request.priority,
            not_before_at=request.not_before_at,
            wants=request.wants,
            checkpoint_dir=_checkpoint_dir(request.checkpoint_dir),
            awaits=request.awaits,
            pause_after=request.pause_after,
            encoder_fingerprints=each.encoder_fingerprints,
            tasks=each.recipe.named(),
        )
        for each in submitted.runs
    ]
    for each in submitted.runs:
        require_sources(database, each.recipe, each.sources)
    with database.immediate():
        for each in submitted.runs:
            store_sources(database, each.sources)
    for each in submitted.runs:
        store_overlaps(database, each.overlaps, each.fingerprints, each.recipe.evaluate_examples)
    snapshot = take_snapshot()
    with database.durable():
        if request.budget is not None:
            key = add_budget(database, request.budget)
            new = [replace(each, budget=key) for each in new]
        ids = add_runs(database, new, snapshot, first=request.first)
    return runs_with_ids(database, ids)
