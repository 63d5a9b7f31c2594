"""What two predictions of the same examples disagree in, for R-Drop."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bertmt.losses.precision import at_least_fp32
from bertmt.tasks.task import Task


def disagreement(
    task: Task, one: Float[Tensor, "batch *classes"], other: Float[Tensor, "batch *classes"]
) -> Float[Tensor, ""]:
    """½ KL(p ‖ q) + ½ KL(q ‖ p), a mean over the batch; of numbers the mean of (ŷ − ŷ')².

    Both are ½ Σ (p − q)(log p − log q); of two classes it is ½ (p − q)(l − l'), l the logits.

    Args:
        one, other: logits, or predicted numbers.

    Source: Liang et al. 2021, "R-Drop: Regularized Dropout for Neural Networks", equation 2. It has classes alone; the
    square of numbers is their divergence with a fixed variance, but for a factor. Computed in at least fp32.
    """
    one, other = at_least_fp32(one), at_least_fp32(other)
    if not task.classes:
        return (one - other).square().mean()
    if task.outputs == 1:
        return ((one.sigmoid() - other.sigmoid()) * (one - other)).mean() / 2
    p, q = functional.log_softmax(one, -1), functional.log_softmax(other, -1)
    return ((p.exp() - q.exp()) * (p - q)).sum(-1).mean() / 2
