"""Floating-point operations of an encoder's model, and how many of them this processor can do."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

PEAK_SIZE = 2048


@dataclass(frozen=True)
class Cost:
    """What a sentence costs an encoder, forward and backward.

    With W_t weights in matrices that train, W_f in frozen ones, h the width, and a sentence of l tokens:

        FLOPs = l · (6 W_t + 4 W_f + 12 · l · h · layers)

    Each weight of a matrix is a multiplication and an addition per token, 2 operations, three times if it trains:
    forward, gradient of the input, gradient of the weight. A frozen one has no third (LoRA: the encoder's own weights;
    its adapters train). Attention multiplies queries by keys and probabilities by values: 2 · 2 · l · h per token
    and layer forward, and twice that backward. Not counted: tables of embeddings, which are looked up, heads, pooling,
    norms, and all that is no part of the model: padding, gradient surgery, the optimizer. With LoRA the first layer's
    queries, keys and values need no gradient of the input, since nothing before them trains: counted all the same.
    """

    trained: int
    frozen: int
    hidden: int
    layers: int

    def of(self, lengths: Iterable[int]) -> float:
        """FLOPs of a training step on sentences of so many tokens."""
        per_token = 6 * self.trained + 4 * self.frozen
        return float(sum(l * (per_token + 12 * l * self.hidden * self.layers) for l in lengths))  # noqa: E741


def cost_of(encoder: nn.Module, hidden: int, layers: int) -> Cost:
    """The cost of an encoder as it stands; a pooler, which reads one token of each sentence, is left out."""
    tables = {id(module.weight) for module in encoder.modules() if isinstance(module, nn.Embedding)}
    matrices = [
        weight
        for name, weight in encoder.named_parameters()
        if weight.ndim == 2 and id(weight) not in tables and "pooler" not in name
    ]
    trained = sum(weight.numel() for weight in matrices if weight.requires_grad)
    return Cost(trained, sum(weight.numel() for weight in matrices) - trained, hidden, layers)


def matrix_peak(precision: str, device: str = "cpu", size: int = PEAK_SIZE, runs: int = 3) -> float:
    """FLOP/s of the best of some products of two square matrices, in this process and now."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    size = size if device == "cpu" else 4 * size
    first, second = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(runs + 1):
        synchronize(device)
        start = time.perf_counter()
        torch.mm(first, second)
        synchronize(device)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def synchronize(device: str) -> None:
    """Wait for what was handed to a GPU."""
    if device != "cpu":
        torch.cuda.synchronize()
