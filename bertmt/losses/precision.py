"""Every loss is computed in at least fp32."""

import torch
from jaxtyping import Float
from torch import Tensor


def at_least_fp32(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """`values` in fp32, or as they are where they are finer (fp64, as gradcheck needs)."""
    return values if values.dtype == torch.float64 else values.float()
