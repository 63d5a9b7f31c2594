"""The state of every random generator that a step may draw from, as tensors."""

import math
import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

CUDA = "cuda"
PYTHON_VERSION = 3  # of the state of `random`, not of Python


def capture(device: torch.device, surgery: torch.Generator) -> dict[str, Tensor]:
    """The states by generator: torch's (dropout), surgery's own, and those of Python and numpy.

    Nothing draws from the last two today; a library that begins to must not make a resumed run differ in silence.
    """
    states = {"torch": torch.get_rng_state(), "surgery": surgery.get_state()}
    if device.type == CUDA:
        states[CUDA] = torch.cuda.get_rng_state(device)
    _, words, gauss = random.getstate()
    states["python"] = torch.tensor(words, dtype=torch.int64)
    states["python_rest"] = torch.tensor([math.nan if gauss is None else gauss], dtype=torch.float64)
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    states["numpy"] = torch.from_numpy(np.asarray(keys, dtype=np.int64))
    states["numpy_rest"] = torch.tensor([position, has_gauss, cached], dtype=torch.float64)
    return states


def restore(states: Mapping[str, Tensor], device: torch.device, surgery: torch.Generator) -> None:
    """Give the generators what `capture` read.

    Where the run began on a CPU and goes on on a GPU, its GPU generator stays as it was seeded.
    """
    torch.set_rng_state(states["torch"])
    surgery.set_state(states["surgery"])
    if device.type == CUDA and CUDA in states:
        torch.cuda.set_rng_state(states[CUDA], device)
    gauss = float(states["python_rest"])
    random.setstate((PYTHON_VERSION, tuple(states["python"].tolist()), None if math.isnan(gauss) else gauss))
    position, has_gauss, cached = states["numpy_rest"].tolist()
    np.random.set_state(("MT19937", states["numpy"].numpy().astype(np.uint32), int(position), int(has_gauss), cached))
