"""Dev predictions, scores and losses of the weights as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from bertmt.models.inference import compute_outputs, probabilities
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.events import PredictionFile
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.tasks.examples import fingerprint
from bertmt.tasks.scores import measured, overall
from bertmt.training.divergence import check_outputs
from bertmt.training.steps.objectives import mean_loss
from bertmt.training.steps.tokenised import TokenisedSplit


@dataclass(frozen=True)
class Evaluation:
    """Scores and losses by task; None where undefined.

    Attributes:
        metrics: by task, all its metrics by name.
        overall: None unless there are several tasks, and all have a score.
        predictions: per task, which file of the run folder holds them, as `evaluated` events list it.
    """

    epoch: int
    scores: Mapping[str, float | None]
    overall: float | None
    losses: Mapping[str, float | None]
    sizes: Mapping[str, int]
    predictions: tuple[PredictionFile, ...]
    metrics: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def selection_value(self) -> float | None:
        """What `select = "best"` and early stopping go by: the overall score, or of one task its own."""
        return self.overall if len(self.scores) > 1 else next(iter(self.scores.values()))


class Evaluator:
    """Evaluates a model on its tasks' dev splits, cut to `evaluate_examples`."""

    def __init__(
        self,
        model: MultitaskModel,
        tokenizer: Tokenizer,
        recipe: Recipe,
        folder: RunFolder,
        splits: Mapping[str, TokenisedSplit],
        before_batch: Callable[[], None],
    ):
        self._model = model
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._folder = folder
        self._splits = splits
        self._before_batch = before_batch
        self._fingerprints = {task: fingerprint(data.split.examples) for task, data in splits.items()}
        for task, data in splits.items():
            write_examples(folder.examples(task, data.split.name), data.split.examples)

    def evaluate(self, epoch: int) -> Evaluation:
        """Predict, score, and store the predictions.

        Raises:
            DivergedError: a prediction is not a finite number.
        """
        scores: dict[str, float | None] = {}
        metrics: dict[str, dict[str, float | None]] = {}
        losses: dict[str, float | None] = {}
        stored = []
        for task, data in self._splits.items():
            outputs = compute_outputs(self._model, self._tokenizer, task, data.first, data.second, self._before_batch)
            check_outputs(task, epoch, outputs)
            losses[task] = mean_loss(self._recipe, task, outputs, torch.from_numpy(data.labels))
            about = self._recipe.task(task)
            predictions = Predictions(
                task, data.split.name, epoch, self._fingerprints[task], probabilities(about, outputs)
            )
            labels = [
                example.label for example in data.split.examples
            ]  # not the fp32 ones: scores are to be reproducible
            metrics[task] = measured(about, predictions.probabilities, labels)
            scores[task] = metrics[task][about.metrics[0]]
            stored.append(self._store(predictions))
        sizes = {task: len(data) for task, data in self._splits.items()}
        return Evaluation(epoch, scores, overall(scores, self._recipe.known), losses, sizes, tuple(stored), metrics)

    def _store(self, predictions: Predictions) -> PredictionFile:
        path = self._folder.predictions(predictions.epoch, predictions.task, predictions.split)
        write_predictions(path, predictions)
        return PredictionFile(
            task=predictions.task,
            split=predictions.split,
            file=str(path.relative_to(self._folder.path)),
            fingerprint=predictions.fingerprint,
        )
