"""Mean squared error, STS's loss in the baseline."""

from jaxtyping import Float, Real
from torch import Tensor

from bertmt.losses.precision import at_least_fp32

HIGHEST_SIMILARITY = 5.0


def mean_squared_error(cosines: Float[Tensor, "batch"], similarities: Real[Tensor, "batch"]) -> Float[Tensor, ""]:
    """(1/b) Σ_i (ŷ_i − y_i/5)², with ŷ the cosine of a pair and y its similarity, 0 to 5.

    Source: section 4.1; that y is divided by 5 is decision 5. Computed in at least fp32.
    """
    cosines = at_least_fp32(cosines)
    return (cosines - similarities.to(cosines.dtype) / HIGHEST_SIMILARITY).square().mean()
