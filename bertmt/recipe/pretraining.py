"""Which phases a run has: pretraining on pairs with similarities (section 4.3), and the stages of training."""

from typing import NamedTuple

from bertmt.recipe.recipe import PAPERS_RANGE, Recipe
from bertmt.recipe.rules import is_pretrained
from bertmt.tasks.task import Task

MLM, MNR, COSINE_EMBEDDING = "mlm", "mnr", "cosine_embedding"
TRAIN, SINGLE = "train", "single"
_STAGES = {"multitask": TRAIN, "single": SINGLE}


class Phase(NamedTuple):
    """One loss on the pairs of one task, or on the sentences of those that share an encoder.

    Attributes:
        name: what events, streams and seeds call it.
        task: whose encoder it trains.
        reads: the tasks whose training examples it reads.
    """

    name: str
    loss: str
    task: str
    reads: tuple[str, ...]


def phases(recipe: Recipe) -> tuple[Phase, ...]:
    """Of pretraining, in their order: hidden words, then each loss on each task of pairs whose labels are numbers.

    Where there is one encoder, or one such task, they have the names of the losses alone.

    Source of the first: Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", section 5.4.1 (within-task
    further pretraining).
    """
    tasks = [name for name, task in recipe.trained().items() if is_pretrained(task)]
    losses = [name for name, is_on in ((MNR, recipe.mnr), (COSINE_EMBEDDING, recipe.cosine_embedding)) if is_on]
    if recipe.pretraining_order == "cosine_first":  # decision 28
        losses.reverse()
    on_pairs = [
        Phase(loss if len(tasks) == 1 else f"{loss}.{task}", loss, task, (task,)) for loss in losses for task in tasks
    ]
    return (*_guessing(recipe), *on_pairs)


def _guessing(recipe: Recipe) -> list[Phase]:
    if not recipe.mlm_epochs:
        return []
    if recipe.ensembling and len(recipe.tasks) > 1:
        return [Phase(f"{MLM}.{task}", MLM, task, (task,)) for task in recipe.tasks]
    return [Phase(MLM, MLM, recipe.tasks[0], recipe.tasks)]


def epochs_of(recipe: Recipe, phase: Phase) -> int:
    """How often a phase of pretraining goes over its examples."""
    return recipe.mlm_epochs if phase.loss == MLM else recipe.pretraining_epochs


def training_stages(recipe: Recipe) -> tuple[str, ...]:
    """The phases that train the tasks: all of them together, then each on its own from where that ended.

    Source: the course's project minbert of 2024 (multitask fine-tuning, then one model per task; .540/.893/.885 on dev
    against .523/.889/.866 of the first stage alone), after Liu et al. 2019, "Multi-Task Deep Neural Networks", section
    3.2. Ours trains the second stage's tasks side by side as `ensembling` does, which shares nothing but the length of
    an epoch, the learning rate's course and the norm of `gradient_clip`.
    """
    return tuple(_STAGES[name] for name in recipe.stages)


def label_of(threshold: float, task: Task) -> float:
    """A threshold of the recipe, which is of the paper's range from 0 to 5, on the range of a task."""
    low, high = task.range
    return low + threshold * ((high - low) / PAPERS_RANGE)
