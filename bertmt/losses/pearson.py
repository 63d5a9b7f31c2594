"""Pearson loss, in place of the mean squared error."""

from typing import NamedTuple

from jaxtyping import Float, Real
from torch import Tensor

from bertmt.losses.precision import at_least_fp32

LEAST_PAIRS = 3
EPSILON = 1e-12


class PearsonLoss(NamedTuple):
    """The loss of a batch.

    Attributes:
        loss: −ρ; where undefined 0, which no gradient flows from (`backward` has nothing to do).
        defined: whether the batch has a correlation. The training loop counts those that have none.
    """

    loss: Float[Tensor, ""]
    defined: bool


def pearson_loss(cosines: Float[Tensor, "batch"], similarities: Real[Tensor, "batch"]) -> PearsonLoss:
    """−Cov(y, ŷ) / √(Var(y) Var(ŷ) + 1e-12) over a batch, with ŷ the cosine of a pair and y its similarity.

    Args:
        similarities: on any scale.

    Source: section 4.3, point 3. It leaves open batches without a correlation: fewer than 3 pairs, or one side
    without variance, give loss 0 and no gradient; 1e-12 keeps small variances finite (decision 22). Computed in at
    least fp32.
    """
    cosines = at_least_fp32(cosines)
    labels = similarities.to(cosines.dtype)
    if len(cosines) < LEAST_PAIRS or _constant(cosines) or _constant(labels):
        return PearsonLoss(cosines.new_zeros(()), defined=False)
    x = cosines - cosines.mean()
    y = labels - labels.mean()
    covariance = (x * y).mean()
    return PearsonLoss(-covariance / (x.square().mean() * y.square().mean() + EPSILON).sqrt(), defined=True)


def _constant(values: Float[Tensor, "batch"]) -> bool:
    # Not variance == 0: the mean of equal floats may differ from them in the last bit.
    return bool(values.min() == values.max())
