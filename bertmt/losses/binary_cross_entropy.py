"""Binary cross entropy, the loss of two classes (PARA)."""

from jaxtyping import Float, Real
from torch import Tensor
from torch.nn import functional

from bertmt.losses.precision import at_least_fp32


def binary_cross_entropy(logits: Float[Tensor, "batch"], labels: Real[Tensor, "batch"]) -> Float[Tensor, ""]:
    """−(1/b) Σ_i [y_i log σ(l_i) + (1 − y_i) log(1 − σ(l_i))].

    Args:
        logits: before the sigmoid.
        labels: 0 or 1.

    Source: section 4.1, whose "cross entropy" of a single logit is the binary one (decision 5). Computed in at
    least fp32.
    """
    logits = at_least_fp32(logits)
    return functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
