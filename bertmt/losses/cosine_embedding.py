"""Cosine embedding, a pretraining loss on pairs with similarities."""

from jaxtyping import Float, Real
from torch import Tensor
from torch.nn import functional

from bertmt.losses.precision import at_least_fp32


def cosine_embedding(
    first: Float[Tensor, "batch hidden"],
    second: Float[Tensor, "batch hidden"],
    similarities: Real[Tensor, "batch"],
    positive: float,
    negative: float,
) -> Float[Tensor, ""]:
    """The mean of 1 − cos over pairs with y ≥ `positive`, and of max(0, cos) over pairs with y < `negative`.

    Args:
        first, second: [CLS] embeddings of the pairs' two sentences.
        similarities: y, 0 to 5.
        positive: 3.5 in the paper.
        negative: 1.0 in the paper.

    Source: section 4.3, point 2 (≥ 3.5; 7.3's "> 3.5" is not followed, decision 23). Pairs between the thresholds
    are left out: they count neither in the sum nor in the mean, and a batch of them alone has loss 0. Computed in at
    least fp32.
    """
    cosines = functional.cosine_similarity(at_least_fp32(first), at_least_fp32(second), dim=-1)
    similar = (similarities >= positive).to(cosines.dtype)
    dissimilar = (similarities < negative).to(cosines.dtype)
    total = (similar * (1 - cosines) + dissimilar * cosines.clamp(min=0)).sum()
    return total / (similar + dissimilar).sum().clamp(min=1)
