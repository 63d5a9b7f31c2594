"""Dev scores between two evaluations, on a few examples, so that a long run has a curve and not two points.

They are marked partial everywhere, and decide nothing. They draw nothing from the run's generators, and weights stay as
they are.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.events import PredictionFile
from bertmt.tasks.examples import Split
from bertmt.tasks.task import PARTIAL
from bertmt.training.evaluation import PredictedSplits

POINTS = 10  # of a run, where its recipe names no interval
HIGHEST_SHARE = 0.03  # of a run's time
# A training example costs its forward pass and a backward pass at least as long; with them prediction files and the
# start of each pass were measured to stay within the share (docs/lab_notes.md).
PASSES_PER_TRAINED = 2.0


def interval(recipe: Recipe, steps: int, trained: int, predicted: int) -> int:
    """Steps from one partial evaluation to the next; 0: none is made.

    Without an interval in the recipe there are about ten, or fewer where these would take more than 3 % of the time.

    Args:
        steps: of the whole run, pretraining included.
        trained: examples that these steps train on.
        predicted: examples of one partial evaluation.
    """
    if not recipe.partial_examples or not predicted:
        return 0
    if recipe.evaluate_steps:
        return recipe.evaluate_steps
    affordable = int(HIGHEST_SHARE * PASSES_PER_TRAINED * trained / predicted)
    points = min(POINTS, affordable)
    return math.ceil(steps / (points + 1)) if points else 0


@dataclass(frozen=True)
class PartialEvaluation:
    """Scores by task of a few dev examples; None where undefined."""

    scores: Mapping[str, float | None]
    sizes: Mapping[str, int]
    predictions: tuple[PredictionFile, ...]


class PartialEvaluator:
    """Evaluates a model on a fixed part of each dev split.

    Args:
        interval: steps from one evaluation to the next; 0: there is none.
        parts: of the dev splits; none where there is no evaluation.
    """

    def __init__(self, recipe: Recipe, interval: int, parts: PredictedSplits):
        self._recipe = recipe
        self._interval = interval
        self._parts = parts

    def is_due(self, step: int, evaluated_step: int) -> bool:
        """Whether to evaluate after so many steps, where the last whole evaluation was after `evaluated_step`."""
        return bool(self._interval and step and step % self._interval == 0 and step != evaluated_step)

    def evaluate(self, epoch: int) -> PartialEvaluation:
        """Predict, score, and store the predictions, over those of the last time in this epoch."""
        scores: dict[str, float | None] = {}
        stored = []
        for task in self._parts.sizes:
            metrics, file = self._parts.store(task, epoch, self._parts.outputs(task))
            scores[task] = metrics[self._recipe.task(task).metrics[0]]
            stored.append(file)
        return PartialEvaluation(scores, self._parts.sizes, tuple(stored))


def parts_of(dev: Mapping[str, Split], count: int) -> dict[str, Split]:
    """A part of each dev split, as a split of its own."""
    return {task: replace(part_of(split, count), name=PARTIAL) for task, split in dev.items()}


def part_of(split: Split, count: int) -> Split:
    """At most `count` examples, the same ones for every run on the split: those whose ids have the lowest hashes."""
    examples = split.examples
    if len(examples) <= count:
        return split
    marks = [hashlib.sha256(example.id.encode("utf-8", "surrogatepass")).digest() for example in examples]
    chosen = sorted(sorted(range(len(examples)), key=marks.__getitem__)[:count])
    return Split(split.task, split.name, tuple(examples[index] for index in chosen))
