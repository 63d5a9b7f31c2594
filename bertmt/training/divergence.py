"""Stopping a run whose numbers are no longer finite."""

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float32
from torch import Tensor

from bertmt.errors import BertmtError


class DivergedError(BertmtError):
    """A loss, a gradient or a prediction is not a finite number."""


def check_step(
    step: int, losses: Mapping[str, float], gradient_norm: float, examples: Mapping[str, Sequence[str]]
) -> None:
    """Return if a step's losses and its gradient are finite.

    Args:
        examples: ids of the batch by task.

    Raises:
        DivergedError: naming the step, what is not finite, and the batch; what to do stands first, as a batch has many
            ids, and a list has room for one line.
    """
    diverged = [name for name, loss in losses.items() if not math.isfinite(loss)]
    if not diverged and math.isfinite(gradient_norm):
        return
    found = " and ".join(f"the {name} loss is {losses[name]}" for name in diverged)
    found = found or f"the gradient's norm is {gradient_norm}"
    batch = "; ".join(f"{name} {', '.join(examples[name])}" for name in diverged or examples)
    raise DivergedError(f"Diverged at step {step}; try a lower learning_rate: {found}; batch: {batch}.")


def check_outputs(task: str, epoch: int, outputs: Float32[Tensor, "examples *classes"]) -> None:
    """Return if all of a model's outputs are finite.

    Raises:
        DivergedError: naming task and epoch.
    """
    if not outputs.isfinite().all():
        raise DivergedError(
            f"Diverged after epoch {epoch}, try a lower learning_rate: the model's outputs for {task} are not finite "
            "numbers."
        )
