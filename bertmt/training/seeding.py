"""The random streams of a training run: batches, dropout, and the order of gradient surgery.

Batches are pure functions of (seed, stream, pass), see `batches`; weights of (seed, part), see `models.seeding`. What
is left advances from step to step and would have to be stored to resume: torch's global generator, which only
dropout draws from, and the generator of gradient surgery; see `random_state`.
"""

import random

import numpy as np
import torch

from bertmt.models.seeding import derived_seed


def seed_dropout(seed: int) -> None:
    """Start dropout's stream, the global one; whatever drew from it while the model was built plays no part.

    Python's and numpy's global generators, from which nothing should draw, start equally in every process too.
    """
    torch.manual_seed(derived_seed(seed, "dropout"))
    random.seed(derived_seed(seed, "python"))
    np.random.seed(derived_seed(seed, "numpy") % 2**32)


def surgery_generator(seed: int) -> torch.Generator:
    """The stream that gives gradient surgery its random orders."""
    return torch.Generator().manual_seed(derived_seed(seed, "surgery"))
