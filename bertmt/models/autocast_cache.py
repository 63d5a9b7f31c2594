"""One cast of each weight for several passes through an encoder."""

from contextlib import AbstractContextManager

import torch


def shared_autocast_cache(device: torch.device) -> AbstractContextManager[object]:
    """A scope in which the encoder's autocast contexts share their cache of bf16 weights.

    PyTorch drops the cache when the outermost autocast context ends, also one that casts nothing: so without this,
    each of a step's passes would cast all weights anew. Weights must not change, nor gradient mode switch, inside.
    """
    return torch.autocast(device.type, enabled=False)
