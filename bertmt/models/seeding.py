"""Random initial weights that depend on the recipe's seed and on what is initialised, and on nothing else."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived_seed(seed: int, purpose: str) -> int:
    """A seed of its own for each purpose, so that adding one random part never shifts the others."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def seeded(seed: int, purpose: str) -> Iterator[None]:
    """Run a block with the CPU generator at `derived_seed`, and put the generator back afterwards."""
    # Not torch.manual_seed: it also seeds every GPU, now or (lazily) when CUDA starts.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derived_seed(seed, purpose))
        yield
