"""Dev scores between two evaluations, on a few examples, so that a long run has a curve and not two points.

They are marked partial everywhere, and decide nothing. They draw nothing from the run's generators, and weights stay as
they are.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bertmt.models.inference import compute_outputs, probabilities
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.events import PredictionFile
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.scores import predicted_labels, score
from bertmt.tasks.task import PARTIAL
from bertmt.training.steps.tokenised import TokenisedSplit

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

    Attributes:
        interval: steps from one evaluation to the next; 0: there is none.
    """

    def __init__(
        self,
        model: MultitaskModel,
        tokenizer: Tokenizer,
        recipe: Recipe,
        folder: RunFolder,
        dev: Mapping[str, Split],
        before_batch: Callable[[], None],
    ):
        self._model = model
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._folder = folder
        self._before_batch = before_batch
        self._splits = {
            name: TokenisedSplit(part_of(split, recipe.partial_examples), tokenizer, before_batch)
            for name, split in dev.items()
        }
        self.examples = sum(map(len, self._splits.values()))
        self.interval = 0

    def plan(self, steps: int, trained: int) -> None:
        """Settle the interval of a run of so many steps on so many examples, and store the examples."""
        self.interval = interval(self._recipe, steps, trained, self.examples)
        for name, data in self._splits.items() if self.interval else ():
            write_examples(self._folder.examples(name, PARTIAL), data.split.examples)

    def is_due(self, step: int, evaluated_step: int) -> bool:
        """Whether to evaluate after so many steps, where the last whole evaluation was after `evaluated_step`."""
        return bool(self.interval and step and step % self.interval == 0 and step != evaluated_step)

    def evaluate(self, epoch: int) -> PartialEvaluation:
        """Predict, score, and store the predictions, over those of the last time in this epoch."""
        scores, stored = {}, []
        for name, data in self._splits.items():
            outputs = compute_outputs(self._model, self._tokenizer, name, data.first, data.second, self._before_batch)
            about = self._recipe.task(name)
            mark = fingerprint(data.split.examples)
            predictions = Predictions(name, PARTIAL, epoch, mark, probabilities(about, outputs))
            labels = [example.label for example in data.split.examples]
            scores[name] = score(about, predicted_labels(about, predictions.probabilities), labels)
            path = self._folder.predictions(epoch, name, PARTIAL)
            write_predictions(path, predictions)
            stored.append(PredictionFile(task=name, split=PARTIAL, file=f"predictions/{path.name}", fingerprint=mark))
        return PartialEvaluation(scores, {name: len(data) for name, data in self._splits.items()}, tuple(stored))


def part_of(split: Split, count: int) -> Split:
    """At most `count` examples, the same ones for every run on the split: those whose ids have the lowest hashes."""
    examples = split.examples
    if len(examples) <= count:
        return split
    marks = [hashlib.sha256(example.id.encode("utf-8", "surrogatepass")).digest() for example in examples]
    chosen = sorted(sorted(range(len(examples)), key=marks.__getitem__)[:count])
    return Split(split.task, split.name, tuple(examples[index] for index in chosen))
