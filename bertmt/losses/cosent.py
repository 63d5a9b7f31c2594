"""CoSENT, a loss of predicted numbers that looks at their order alone."""

import torch
from jaxtyping import Float, Real
from torch import Tensor

from bertmt.losses.precision import at_least_fp32


def cosent(outputs: Float[Tensor, "batch"], labels: Real[Tensor, "batch"], scale: float) -> Float[Tensor, ""]:
    """log(1 + Σ_{y_i > y_j} exp(s (ŷ_j − ŷ_i))): pairs of examples whose predictions stand in the wrong order.

    Args:
        outputs: ŷ, cosines of pairs, or what a head says.
        labels: y, on any scale.
        scale: s, 20 in Sentence-Transformers.

    Source: Su 2022, "CoSENT (1)", kexue.fm/archives/8847; not in the paper. A batch of equal labels has loss 0.
    Computed in at least fp32.
    """
    outputs = at_least_fp32(outputs)
    differences = scale * (outputs[None, :] - outputs[:, None])
    wrong = differences.masked_fill(labels[:, None] <= labels[None, :], -torch.inf)
    return torch.cat([outputs.new_zeros(1), wrong.flatten()]).logsumexp(0)
