"""The models of the paper beside our runs of them, and our controls; what is computed here is mean and spread only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from bertmt.recipe.loading import Preset, presets
from bertmt.recipe.reported import ReportedScores, reported_scores
from bertmt.recipe.rules import resolved
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.comparability import looks_at_dev
from bertmt.services.analysis.paper.runs import PaperRuns
from bertmt.services.analysis.paper.scale import scale_differences
from bertmt.services.browse.baseline import scale_key
from bertmt.services.browse.rows import mean_gain
from bertmt.tasks.builtin import BUILTIN

LEAST_COLOURED = 5  # seeds: with two one more run may lie 16 standard deviations from their mean
SCORES = (*BUILTIN, "overall")  # what the paper reports of its models


@dataclass(frozen=True)
class Measured:
    """One score over the runs of a preset at one scale.

    Attributes:
        best: the run with the highest score; of equal ones the newest.
        seeds: how many seeds the mean is over; of several runs with one seed the newest counts.
        deviation: sample standard deviation over the seeds; None of one.
    """

    best: Run
    best_score: float
    mean: float
    seeds: int
    deviation: float | None


@dataclass(frozen=True)
class AtScale:
    """The finished runs of a preset that share encoder, data and budget, oldest first.

    Attributes:
        scores: by task and for "overall"; what no run has a score for is left out.
        selected_on_dev: whether they chose their epoch, or when to stop, on the dev set: their scores are optimistic.
    """

    runs: tuple[Run, ...]
    scores: Mapping[str, Measured]
    selected_on_dev: bool

    @property
    def best_run(self) -> Run:
        """The run with the highest overall score; without one, that of the first task that was scored."""
        known = (self.scores[name] for name in ("overall", *SCORES) if name in self.scores)
        return next((measured.best for measured in known), self.runs[-1])

    def scale_differences(self, preset: Preset) -> dict[str, tuple[Any, Any]]:
        """What of the scale is not the paper's, or not known to be: name to ours and the paper's."""
        return scale_differences(self.runs[-1], resolved(preset.recipe()))

    @property
    def by_seed(self) -> tuple[Run, ...]:
        """Its runs, of several with one seed the newest."""
        return tuple({run.seed: run for run in self.runs}.values())


@dataclass(frozen=True)
class PaperRow:
    """A preset, what the paper reports of it, and what we have.

    Attributes:
        reported: None for our controls.
        measured: one entry per scale, the one with the newest run first (decision 25: never without its scale).
        waiting: queued, held and paused runs; running: those that run now.
    """

    preset: Preset
    reported: ReportedScores | None
    measured: tuple[AtScale, ...]
    waiting: tuple[Run, ...]
    running: tuple[Run, ...]

    def difference(self, entry: AtScale) -> float | None:
        """The mean over our seeds less the paper's score, over the tasks that have both (STS as S); None: none has.

        Not our best: the best of many seeds lies above the paper's score even where nothing differs.
        """
        reported = self.reported.scores if self.reported else {}
        return mean_gain({name: measured.mean for name, measured in entry.scores.items()}, reported)


def paper_table(runs: Iterable[Run]) -> tuple[PaperRow, ...]:
    """A row per preset, in the order of the paper, controls last; a run belongs to the preset that it matches."""
    by_preset = PaperRuns(runs).of_presets()
    return tuple(_row(each, by_preset.get(name, ())) for name, each in presets().items())


def _row(preset: Preset, runs: Sequence[Run]) -> PaperRow:
    by_scale: dict[Any, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.key):
        if run.state is State.FINISHED:
            by_scale.setdefault(_scale(run), []).append(run)
    groups = sorted(by_scale.values(), key=lambda group: group[-1].key, reverse=True)
    return PaperRow(
        preset=preset,
        reported=reported_scores(preset.name),
        measured=tuple(_at_scale(group) for group in groups),
        waiting=tuple(run for run in runs if run.state in (State.QUEUED, State.HELD, State.PAUSED)),
        running=tuple(run for run in runs if run.state is State.RUNNING),
    )


def _scale(run: Run) -> tuple[Any, ...]:
    """What is equal for runs of one entry: besides the settings the very examples, extra pairs included."""
    recipe = run.submission.shared_recipe
    marks = run.submission.fingerprints_json, run.submission.encoder_fingerprints_json
    return scale_key(run), marks, recipe.get("extra_data") and recipe.get("extra_data_limit")


def _at_scale(runs: Sequence[Run]) -> AtScale:
    scores = {name: found for name in SCORES if (found := _measured(runs, name)) is not None}
    return AtScale(tuple(runs), scores, looks_at_dev(runs[-1]))


def _measured(runs: Sequence[Run], name: str) -> Measured | None:
    known = [(score, run) for run in runs if (score := run.score(name)) is not None]
    if not known:
        return None
    best_score, best = max(known, key=lambda pair: (pair[0], pair[1].key))
    by_seed = list({run.seed: score for score, run in known}.values())
    deviation = stdev(by_seed) if len(by_seed) > 1 else None
    return Measured(best, best_score, fmean(by_seed), len(by_seed), deviation)
