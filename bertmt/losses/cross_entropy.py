"""Cross entropy, the loss of three and more classes (SST)."""

from jaxtyping import Float, Real
from torch import Tensor
from torch.nn import functional

from bertmt.losses.precision import at_least_fp32


def cross_entropy(logits: Float[Tensor, "batch classes"], labels: Real[Tensor, "batch"]) -> Float[Tensor, ""]:
    """−(1/b) Σ_i log softmax(logits_i)[labels_i].

    Args:
        labels: class indices.

    Source: section 4.1. Computed in at least fp32.
    """
    return functional.cross_entropy(at_least_fp32(logits), labels.long())
