"""Multiple negatives ranking (MNR), a pretraining loss on pairs with similarities."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bertmt.losses.precision import at_least_fp32


def multiple_negatives_ranking(
    first: Float[Tensor, "batch hidden"], second: Float[Tensor, "batch hidden"], scale: float
) -> Float[Tensor, ""]:
    """−(1/b) Σ_i log( exp(s·S(i,i)) / Σ_k exp(s·S(i,k)) ), S(i,k) the cosine of first i and second k.

    Args:
        first: embeddings of the first sentences.
        second: embeddings of the second sentences; every other row is taken for a negative.
        scale: s.

    Source: section 4.3, point 1. The paper's formula has no s (scale 1; Sentence-Transformers' default is 20) and
    is a sum; a mean keeps the step independent of the batch size (decision 10). A batch of one has loss 0. Computed
    in at least fp32.
    """
    first = functional.normalize(at_least_fp32(first), dim=-1)
    second = functional.normalize(at_least_fp32(second), dim=-1)
    return functional.cross_entropy(scale * (first @ second.T), torch.arange(len(first), device=first.device))
