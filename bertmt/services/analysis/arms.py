"""The arms of a comparison: single runs, or the seeds of one recipe."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bertmt.drawing.numbers import named
from bertmt.errors import BusyError, NotFoundError, UsageError
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.browse.baseline import Baselines
from bertmt.services.browse.lookup import find_runs
from bertmt.services.browse.rows import Row
from bertmt.services.browse.score_columns import tasks_of
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Tasks

UNSHOWN_SETTINGS = ("seed", "data", "extra_data_file", "keep_model")


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: one run, or several seeds of one recipe."""

    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        first = self.runs[0]
        return first.name if len(self.runs) > 1 else f"{first.name} ({first.id})"

    @property
    def keys(self) -> tuple[int, ...]:
        """Of its runs: they stay the same while the runs change."""
        return tuple(run.key for run in self.runs)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its runs, ascending."""
        return tuple(sorted({run.seed for run in self.runs}))

    @property
    def newest(self) -> tuple[Run, ...]:
        """Its runs in their order, of several with one seed the newest alone, whose scores count."""
        kept = {run.seed: run.key for run in sorted(self.runs, key=lambda run: run.key)}
        return tuple(run for run in self.runs if kept[run.seed] == run.key)

    @property
    def tasks(self) -> Tasks:
        """What its runs train, in their order."""
        return tasks_of(self.runs)

    def scores(self, task: str) -> dict[int, float | None]:
        """Dev scores by seed of one of its tasks, or "overall"; of several runs with one seed the newest counts."""
        return {run.seed: run.score(task) for run in self.newest}

    def mean(self, task: str, seeds: Collection[int] | None = None) -> float | None:
        """Mean dev score over the seeds that have one, or over those of them that are named."""
        scores = self.scores(task)
        known = [score for seed, score in scores.items() if score is not None and (seeds is None or seed in seeds)]
        return sum(known) / len(known) if known else None


def named_groups(database: Database, words: Sequence[str]) -> list[list[Run]]:
    """The arms that words name, a word an arm; the baseline joins a single one.

    Raises:
        NotFoundError, UsageError: as `find_runs`; or the baseline that a person chose is gone.
    """
    groups = [find_runs(database, word) for word in words]
    if len(groups) == 1:
        known = Baselines(database)
        if known.gone:
            raise NotFoundError(known.why_gone)
        found = {run.key: run for run in map(known.of, groups[0]) if run is not None}
        own = {run.key for run in groups[0]}
        if found and not own & set(found):
            return [list(found.values()), *groups]
    return groups


def arm_of(database: Database, group: Sequence[Run]) -> Arm:
    """The runs of a group as they are now.

    Raises:
        BusyError: one has no scores yet.
        UsageError: their recipes differ in more than the seed.
    """
    runs = [bring_up_to_date(database, run) for run in group]
    for run in runs:
        if run.scores.selected_epoch is None:
            raise BusyError(f"Run {run.id} ({run.name}) is {run.state} and has no scores yet; `bertmt wait {run.id}`.")
    # The seed alone may differ within an arm; several runs of one name can be several recipes.
    if len({_without_seed(run) for run in runs}) > 1:
        listed = named([run.id for run in runs])
        raise UsageError(
            f"{len(runs)} runs called {runs[0].name!r} have different recipes ({listed}): name ids instead."
        )
    return Arm(tuple(runs))


def split_beside_averages(arms: Sequence[Arm]) -> list[Arm]:
    """Beside an average every run is an arm of its own: it has no seed to pair the seeds of another with."""
    if not any(map(_members, arms)):
        return list(arms)
    return [Arm((run,)) for arm in arms for run in arm.runs]


def about_averages(arms: Sequence[Arm]) -> list[str]:
    """What each average among the arms is of, and how it is compared."""
    return [
        f"{arm.name} is the average of {named(members)}: it has no seed, so the runs beside it are compared one by "
        "one, by their examples."
        for arm in arms
        if (members := _members(arm))
    ]


def _members(arm: Arm) -> list[str]:
    return list(arm.runs[0].recipe.get("members") or ())


def arms_of(rows: Iterable[Row], apart: bool = False) -> list[list[Run]]:
    """Runs as `compare` wants them: the seeds of a recipe on the same tasks, data and encoder together, the oldest
    arm first.

    The arm with the baseline of another goes before all, and an average before its members. Where there would be one
    arm alone, and beside an average, each run is one.

    Args:
        apart: each run is an arm of its own.
    """
    known = sorted(rows, key=lambda row: row.run.key)
    arms: dict[Any, list[Run]] = {}
    for run in (row.run for row in known):
        marks = run.submission.fingerprints_json, run.submission.encoder_fingerprints_json
        same = (_without_seed(run), *marks, *run.tasks.values())
        arms.setdefault(run.key if apart else same, []).append(run)
    if len(arms) == 1:
        arms = {row.run.key: [row.run] for row in known}
    listed = [arm.runs for arm in split_beside_averages([Arm(tuple(runs)) for runs in arms.values()])]
    ids = {row.run.id for row in known}
    compared_with = {row.baseline.key for row in known if row.baseline and row.baseline.key != row.run.key}
    compared_with |= {row.run.key for row in known if ids & set(row.run.recipe.get("members") or ())}
    return sorted(map(list, listed), key=lambda arm: not any(run.key in compared_with for run in arm))


def tasks_of_arms(arms: Sequence[Arm]) -> Tasks:
    """What any of them trains, in the order in which tasks are shown."""
    return tasks_of(run for arm in arms for run in arm.runs)


def runs_to_pair(reference: Arm, arm: Arm) -> tuple[Run, Run]:
    """A run of either arm to look at examples with: of the first seed that both have, else the first of each."""
    by_seed = {run.seed: run for run in reference.newest}
    shared = next(((by_seed[run.seed], run) for run in arm.newest if run.seed in by_seed), None)
    return shared or (reference.newest[0], arm.newest[0])


def distinct_names(arms: Sequence[Arm]) -> list[str]:
    """What each arm is called where all are named together: two recipes, or one on other data, can share a name."""
    names = [arm.name for arm in arms]
    return [
        f"{arm.name} ({arm.runs[0].id} …)" if names.count(arm.name) > 1 and len(arm.runs) > 1 else arm.name
        for arm in arms
    ]


def recipe_differences(arms: Sequence[Arm]) -> dict[str, tuple[Any, ...]]:
    """The settings that are not the same in all arms, with their value in each; seeds and places of data apart."""
    found = {}
    heads = {**BUILTIN, **tasks_of_arms(arms)}
    for name, setting in SETTINGS.of_tasks(name for name, task in heads.items() if task.has_head).items():
        if name in UNSHOWN_SETTINGS:
            continue
        # A recipe holds the heads of its own tasks; that another task has one is told by `tasks`.
        absent = setting.default if name.startswith("head.") else None
        values = tuple(arm.runs[0].recipe.get(name, absent) for arm in arms)
        if name == "lora.alpha" and all(_alpha_follows_rank(arm) for arm in arms):
            continue
        if any(value != values[0] for value in values):
            found[name] = values
    return found


def effort(run: Run) -> dict[str, Any]:
    """Optimizer steps, and training examples and passes per task, as the child counted them."""
    counted: dict[str, Any] = {"steps": run.progress.steps_done}
    if run.progress.finished is not None:
        counted |= {f"examples {task}": amount for task, amount in run.progress.finished.examples.items()}
        counted |= {f"passes {task}": amount for task, amount in run.progress.finished.passes.items()}
    return counted


def energy_of(runs: Sequence[Run]) -> tuple[float | None, bool]:
    """What each of these runs drew on average, in kWh, and whether others computed there meanwhile; None: not known of
    one of them, or of one the card, of another the processor alone.
    """
    drawn = [run.progress for run in runs]
    parts = {(each.gpu_joules is None, each.cpu_joules is None) for each in drawn}
    known = [each.kwh for each in drawn if each.kwh is not None]
    mean = sum(known) / len(known) if len(parts) == 1 and len(known) == len(drawn) else None
    return mean, any(each.energy_shared for each in drawn)


def wh_per_point(reference: Sequence[Run], runs: Sequence[Run], gain: float | None) -> float | None:
    """How many watt hours more than the reference's each point took that runs score more, a point being 0.01.

    Less than 0: they score more and drew less. None: not known of one side, or another part of it is known of each.

    Args:
        gain: the difference of the scores; of what is not better than the reference there is none to pay for.
    """
    before, after = energy_of(reference)[0], energy_of(runs)[0]
    if energy_of([*reference, *runs])[0] is None or before is None or after is None or not gain or gain < 0:
        return None
    return 1000 * (after - before) / (100 * gain)


def same_recipe(run: Run, other: Run) -> bool:
    """Whether two runs differ in nothing but the seed, as far as they were asked for, and where their data lies."""
    return _without_seed(run) == _without_seed(other)


def _without_seed(run: Run) -> tuple[Any, ...]:
    return tuple(
        value if not isinstance(value, list) else tuple(value)
        for name, value in run.recipe.items()
        if name not in UNSHOWN_SETTINGS
    )


def _alpha_follows_rank(arm: Arm) -> bool:
    """Whether the scale of LoRA is 1, or there is no LoRA: then alpha says nothing that the rank does not."""
    recipe = arm.runs[0].recipe
    return recipe["lora.alpha"] in (None, recipe["lora.rank"])
