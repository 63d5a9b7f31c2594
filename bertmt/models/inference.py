"""What a trained model says about many examples."""

import operator
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from bertmt.models.multitask import MultitaskModel
from bertmt.tasks.task import Task

EXAMPLES_PER_BATCH = 64
TokenIds = Sequence[int]


@torch.inference_mode()
def compute_outputs(
    model: MultitaskModel,
    task: str,
    first: Sequence[TokenIds],
    second: Sequence[TokenIds] | None,
    before_batch: Callable[[], None] = lambda: None,
) -> Float32[Tensor, "examples *classes"]:
    """The model's outputs in the order of the examples, computed in batches of similar length.

    Args:
        first: token ids of the sentences, or of the first ones of pairs.
        second: token ids of the second ones of pairs; None for single sentences.
        before_batch: called before each batch, so that a caller can stop.

    Returns:
        as the model's `forward` has them; on the CPU.
    """
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    whole: Callable[[int, int], int] = max if model.inputs[task] == "separate" else operator.add
    longest = [whole(len(first[row]), len(second[row]) if second else 0) for row in range(len(first))]
    order = np.argsort(longest, kind="stable")[::-1]  # the longest first: memory peaks at once or never
    parts = []
    try:
        with model.unchanged():
            for start in range(0, len(order), EXAMPLES_PER_BATCH):
                before_batch()
                rows = order[start : start + EXAMPLES_PER_BATCH]
                seconds = [second[row] for row in rows] if second else None
                tokens = model.tokens(task, [first[row] for row in rows], seconds)
                parts.append(model(task, tokens.to(device)).float().cpu())
    finally:
        model.train(training)
    computed = torch.cat(parts)
    outputs = torch.empty_like(computed)
    outputs[torch.from_numpy(order.copy())] = computed
    return outputs


def probabilities(
    task: Task, outputs: Float32[Tensor, "examples *classes"]
) -> Float32[np.ndarray, "examples *classes"]:
    """Outputs as predictions are stored: the classes' probabilities, of two that of class 1; numbers as they are."""
    if task.classes:
        outputs = outputs.sigmoid() if task.outputs == 1 else outputs.softmax(dim=1)
    return outputs.numpy().astype(np.float32)
