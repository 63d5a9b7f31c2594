"""What planned runs will be able to show: the smallest effect that their seeds and dev examples find 4 times in 5.

Judged by finished runs at their scale on their dev data: seeds of one recipe say how far apart two runs are by chance,
runs of two recipes what the examples add. Where there are none, nothing is said: another scale has another noise.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bertmt.comparison.effects import variance_over_examples
from bertmt.comparison.intervals import detectable_with
from bertmt.comparison.noise import noise_floor
from bertmt.comparison.paired import overall_weight
from bertmt.comparison.seeds import LEAST_TWO_WAY
from bertmt.comparison.several_seeds.more_seeds import detectable_over
from bertmt.comparison.verdicts import LEVEL
from bertmt.drawing import numbers
from bertmt.drawing.numbers import counted
from bertmt.recipe.loading import to_json
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.effects.influences import ReadInfluences
from bertmt.services.browse.baseline import BASELINE_PRESET, SCALE_SETTINGS
from bertmt.services.browse.run_list import RunList, newest_of_each_seed
from bertmt.services.plan.preview import PlanPreview, preview
from bertmt.services.plan.submit import Plan, PlannedRun

OVERALL = "overall"
SEEDS_READ = 5  # of two recipes, whose predictions say what examples add
NOTHING_KNOWN = (
    "What they can show is not known yet: no two finished runs at this scale and on this dev data tell how far apart "
    "runs are by chance."
)


@dataclass(frozen=True)
class Power:
    """What so many seeds of each recipe can show.

    Attributes:
        seeds: of each recipe, finished ones among them; of several recipes those of the one with the fewest.
        rows: how many comparisons are made with the baseline.
        smallest: the title of a score to the smallest effect that is found 4 times in 5; only what is known.
        is_least: what the examples add is not known, so that an effect may have to be larger.
        rests_on: how many finished runs it is judged by.
    """

    seeds: int
    rows: int
    smallest: Mapping[str, float]
    is_least: bool
    rests_on: int

    def sentence(self) -> str:
        """For people; not yet safe for a screen."""
        if 1 < self.seeds < LEAST_TWO_WAY:
            return f"{counted(self.seeds, 'seed')} of each cannot decide anything; {LEAST_TWO_WAY} can."
        if not self.smallest:
            return NOTHING_KNOWN
        each = ", ".join(f"{title} {numbers.magnitude(value)}" for title, value in self.smallest.items())
        holm = f"after Holm over {counted(self.rows, 'comparison')} with the baseline"
        more = " or more, since what the dev examples add is not known yet" if self.is_least else ""
        judged = f"judged by {counted(self.rests_on, 'finished run')}"
        if self.seeds == 1:
            alone = f"That is for these trained models: {LEAST_TWO_WAY} of each can tell of the method."
            return f"Smallest effect found 4 times in 5, {holm}: {each}; {judged}. {alone}"
        seeds = counted(self.seeds, "seed")
        return f"Smallest effect that {seeds} of each find 4 times in 5, {holm}: {each}{more}; {judged}."


def prospects(database: Database, runs: RunList, planned: Plan) -> tuple[PlanPreview, Power]:
    """How long planned runs take, which ran before, and what they can show.

    Args:
        runs: of the registry, refreshed.
    """
    past = [row.run for row in runs.rows("state:finished | state:running")]
    return preview(database, planned, past), power_of(database, runs, planned)


def no_power(planned: Plan) -> Power:
    """Where there is no registry yet, and so nothing to judge by."""
    recipes = _by_recipe(planned.runs)
    return Power(min(len({run.recipe.seed for run in each}) for each in recipes), _rows(planned, recipes), {}, False, 0)


def power_of(database: Database, runs: RunList, planned: Plan) -> Power:
    """What the planned runs can show of the scores of the first of them, each recipe compared with the baseline.

    Args:
        runs: of the registry, refreshed.
    """
    first = planned.runs[0]
    groups = [[row.run for row in newest_of_each_seed(group.rows)] for group in runs.groups("state:finished")]
    asked = json.loads(to_json(first.recipe))
    alike = [seeds for seeds in groups if seeds and _is_alike(seeds[0], first, asked)]
    recipes = _by_recipe(planned.runs)
    rows = _rows(planned, recipes)
    seeds = min(len({run.recipe.seed for run in each} | _finished_seeds(each[0], alike)) for each in recipes)
    judged = _Judged(database, first, alike)
    smallest: dict[str, float] = {}
    for name in _scores(first):
        found = judged.smallest(name, seeds, LEVEL / rows)
        if found is not None:
            smallest[OVERALL if name == OVERALL else first.recipe.task(name).score_title] = found
    return Power(seeds, rows, smallest, judged.lacks_examples, len(judged.used))


def _scores(planned: PlannedRun) -> list[str]:
    """What is compared of a run."""
    tasks = list(planned.recipe.tasks)
    return [*tasks, OVERALL] if len(tasks) > 1 else tasks


def _rows(planned: Plan, recipes: Sequence[Sequence[PlannedRun]]) -> int:
    """How many comparisons with the baseline there will be."""
    compared = sum(each[0].preset != BASELINE_PRESET for each in recipes) or 1
    return compared * len(_scores(planned.runs[0]))


class _Judged:
    """What finished runs like a planned one say about chance.

    Attributes:
        pair: runs of two recipes, seed by seed.
        used: keys of the runs that were looked at.
        lacks_examples: of a score it is not known what examples add to several seeds' difference.
    """

    def __init__(self, database: Database, planned: PlannedRun, alike: Sequence[Sequence[Run]]):
        self._read, self._recipe, self._alike = ReadInfluences(database), planned.recipe, alike
        self.pair = _two_recipes(alike, 2)
        self.used: set[int] = set()
        self.lacks_examples = False

    def smallest(self, name: str, seeds: int, level: float) -> float | None:
        """The smallest effect on a score; None: not known."""
        if seeds == 1:
            # Any two runs tell how many predictions differ; two recipes tell it best.
            pair = _two_recipes(self._alike, 1)[:1] or _two_seeds(self._alike)
            variance = self._over_examples(name, pair, 1)
            return None if not variance else detectable_with(math.sqrt(variance), level)
        floor = noise_floor([self._scores(name, each) for each in self._alike])
        if floor is None or not floor.difference or seeds < LEAST_TWO_WAY:
            return None
        self.used.update(run.key for each in self._alike if len(each) > 1 for run in each)
        over_examples = self._over_examples(name, self.pair, len(self.pair)) if self.pair else None
        self.lacks_examples |= over_examples is None
        return detectable_over(seeds, floor.difference, over_examples or 0.0, level)

    def _scores(self, name: str, seeds: Sequence[Run]) -> list[float]:
        if name == OVERALL and set(seeds[0].tasks) != set(self._recipe.tasks):
            return []
        return [score for run in seeds if (score := run.score(name)) is not None]

    def _over_examples(self, name: str, pairs: Sequence[tuple[Run, Run]], count: int) -> float | None:
        """The variance of the mean difference of pairs by the dev examples; None where it is not known."""
        tasks = self._recipe.trained()
        weights = {name: 1.0} if name != OVERALL else {
            task: overall_weight(about, len(tasks)) for task, about in tasks.items()
        }  # fmt: skip
        groups = []
        for task, weight in weights.items():
            found = [self._read.of_pair(*pair, task) if _have(pair, task) else None for pair in pairs]
            known = [each[1] for each in found if each is not None]
            if not known or len(known) < len(found):
                return None
            groups.append(weight * np.stack(known))
            self.used.update(run.key for pair in pairs for run in pair)
        return variance_over_examples(groups, count)


def _have(pair: tuple[Run, Run], task: str) -> bool:
    return all(task in run.tasks for run in pair)


def _by_recipe(runs: Sequence[PlannedRun]) -> list[list[PlannedRun]]:
    """Planned runs that differ in nothing but the seed together."""
    found: dict[str, list[PlannedRun]] = {}
    for run in runs:
        found.setdefault(run.recipe.with_values({"seed": 0}).digest(), []).append(run)
    return list(found.values())


def _is_alike(run: Run, planned: PlannedRun, asked: Mapping[str, object]) -> bool:
    """Whether a finished run has the scale of a planned one, whose settings are asked for, and was evaluated on the
    same dev data alike."""
    recipe = run.submission.shared_recipe
    if any(recipe.get(name, SETTINGS[name].default) != asked[name] for name in SCALE_SETTINGS):
        return False
    shared = [task for task in planned.recipe.tasks if task in run.tasks]
    marks = run.submission.fingerprints
    return bool(shared) and all(
        marks.get(f"{task}-dev") == planned.fingerprints.get(f"{task}-dev")
        and run.tasks[task].asked == planned.recipe.task(task).asked
        for task in shared
    )


def _finished_seeds(planned: PlannedRun, alike: Sequence[Sequence[Run]]) -> set[int]:
    """Seeds of a planned recipe that have finished on its data."""
    asked = _without_seed(json.loads(to_json(planned.recipe)))
    return {run.seed for seeds in alike for run in seeds if _without_seed(run.submission.shared_recipe) == asked}


def _without_seed(recipe: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in recipe.items() if name not in ("seed", "data", "extra_data_file")}


def _two_recipes(alike: Sequence[Sequence[Run]], least: int) -> list[tuple[Run, Run]]:
    """Runs of the two newest recipes that share so many seeds, seed by seed."""
    newest = sorted(alike, key=lambda seeds: -max(run.key for run in seeds))
    for one, other in combinations(newest, 2):
        pairs = list(_shared(one, other))
        if len(pairs) >= least:
            return pairs[:SEEDS_READ]
    return []


def _shared(one: Sequence[Run], other: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    by_seed = {run.seed: run for run in other}
    return ((by_seed[run.seed], run) for run in one if run.seed in by_seed)


def _two_seeds(alike: Sequence[Sequence[Run]]) -> list[tuple[Run, Run]]:
    return next(([(seeds[0], seeds[1])] for seeds in alike if len(seeds) > 1), [])
