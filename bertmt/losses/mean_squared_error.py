"""Mean squared error, the loss of labels that are numbers: STS's in the baseline."""

from jaxtyping import Float, Real
from torch import Tensor

from bertmt.losses.precision import at_least_fp32


def mean_squared_error(
    outputs: Float[Tensor, "batch"], labels: Real[Tensor, "batch"], lowest: float, highest: float
) -> Float[Tensor, ""]:
    """(1/b) Σ_i (ŷ_i − (y_i − lowest)/(highest − lowest))², with ŷ a head's output or the cosine of a pair.

    Args:
        labels: y, from `lowest` to `highest`.

    Source: section 4.1; that STS's y, 0 to 5, is divided by 5 is decision 5. Computed in at least fp32.
    """
    outputs = at_least_fp32(outputs)
    return (outputs - (labels.to(outputs.dtype) - lowest) / (highest - lowest)).square().mean()
