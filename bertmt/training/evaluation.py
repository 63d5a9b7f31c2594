"""Dev predictions, scores and losses of the weights as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float32
from torch import Tensor

from bertmt.models.inference import compute_outputs, probabilities
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.events import PredictionFile
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.tasks.examples import Split, fingerprint
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


class PredictedSplits:
    """Splits by task, what a model as it is says of them, and where the run folder holds both.

    Args:
        before_batch: called before each batch and each portion of tokens, so that a caller can stop.

    Attributes:
        sizes: examples by task.
    """

    def __init__(
        self,
        model: MultitaskModel,
        tokenizer: Tokenizer,
        recipe: Recipe,
        folder: RunFolder,
        splits: Mapping[str, Split],
        before_batch: Callable[[], None],
    ):
        self._model = model
        self._recipe = recipe
        self._folder = folder
        self._before_batch = before_batch
        self._splits = {task: TokenisedSplit(split, tokenizer, before_batch) for task, split in splits.items()}
        self._fingerprints = {task: fingerprint(split.examples) for task, split in splits.items()}
        self.sizes = {task: len(split.examples) for task, split in splits.items()}
        for task, split in splits.items():
            write_examples(folder.examples(task, split.name), split.examples)

    def outputs(self, task: str) -> Float32[Tensor, "examples *classes"]:
        """What the model says now, in the order of the examples."""
        data = self._splits[task]
        return compute_outputs(self._model, task, data.first, data.second, self._before_batch)

    def labels(self, task: str) -> Float32[Tensor, "examples"]:
        """The labels as losses take them."""
        return torch.from_numpy(self._splits[task].labels)

    def store(
        self, task: str, epoch: int, outputs: Float32[Tensor, "examples *classes"]
    ) -> tuple[dict[str, float | None], PredictionFile]:
        """Store outputs as predictions, over those of the same epoch; every metric of them, and where they are."""
        split, about = self._splits[task].split, self._recipe.task(task)
        predictions = Predictions(task, split.name, epoch, self._fingerprints[task], probabilities(about, outputs))
        path = self._folder.predictions(epoch, task, split.name)
        write_predictions(path, predictions)
        labels = [example.label for example in split.examples]  # not the fp32 ones: scores are to be reproducible
        file = str(path.relative_to(self._folder.path))
        stored = PredictionFile(task=task, split=split.name, file=file, fingerprint=predictions.fingerprint)
        return measured(about, predictions.probabilities, labels), stored


class Evaluator:
    """Evaluates a model on its tasks' dev splits, cut to `evaluate_examples`."""

    def __init__(self, recipe: Recipe, dev: PredictedSplits):
        self._recipe = recipe
        self._dev = dev

    def evaluate(self, epoch: int) -> Evaluation:
        """Predict, score, and store the predictions.

        Raises:
            DivergedError: a prediction is not a finite number.
        """
        metrics: dict[str, dict[str, float | None]] = {}
        losses: dict[str, float | None] = {}
        stored = []
        for task in self._dev.sizes:
            outputs = self._dev.outputs(task)
            check_outputs(task, epoch, outputs)
            losses[task] = mean_loss(self._recipe, task, outputs, self._dev.labels(task))
            metrics[task], file = self._dev.store(task, epoch, outputs)
            stored.append(file)
        scores = {task: found[self._recipe.task(task).metrics[0]] for task, found in metrics.items()}
        return Evaluation(
            epoch, scores, overall(scores, self._recipe.known), losses, self._dev.sizes, tuple(stored), metrics
        )
