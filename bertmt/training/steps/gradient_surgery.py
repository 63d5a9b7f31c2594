"""Gradient surgery (PCGrad): where the gradients of two tasks point against each other, each gives up its part
along the other.

Legend: K tasks, g_i the gradient of task i over all shared parameters. A `Gradient` is its part for one of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

CHUNK = 2**20
Gradient = Float[Tensor, "..."]


class Surgery(NamedTuple):
    """The result of one step.

    Attributes:
        combined: the sum of the projected gradients, one tensor per parameter; None where no task has a gradient.
        projections: how many projections were made.
        pairs: how many ordered pairs of tasks were looked at, K(K − 1); projections/pairs is the conflict share.
    """

    combined: list[Gradient | None]
    projections: int
    pairs: int


def project_conflicts(gradients: Sequence[Sequence[Gradient | None]], generator: torch.Generator) -> Surgery:
    """Project each task's gradient off those it conflicts with, and add them up.

    For each task i, over the other tasks j in random order: where g_i·g_j < 0, with g_i as projected so far and g_j
    as it came, g_i ← g_i − (g_i·g_j / ‖g_j‖²) g_j. Since each projected gradient stays a linear combination of
    the g_j, all of this happens on the K×K matrix of dot products; the gradients themselves are read twice.

    Args:
        gradients: one sequence per task, the same parameters in the same order; None counts as zero. They are
            used up: the combined gradients are written into them.
        generator: a CPU generator that draws the orders; restore it to repeat a step.

    Source: section 4.1; Yu et al. 2020, "Gradient Surgery for Multi-Task Learning", algorithm 1. Only negative dot
    products are projected (decision 8).
    """
    coefficients, projections = projection_coefficients(dot_products(gradients), generator)
    tasks = len(gradients)
    combined = [_combine(list(parts), coefficients) for parts in zip(*gradients, strict=True)]
    return Surgery(combined, projections, tasks * (tasks - 1))


def projection_coefficients(
    products: Float64[Tensor, "tasks tasks"], generator: torch.Generator
) -> tuple[list[float], int]:
    """How much of each original gradient is in the sum of the projected ones, and how many projections were made.

    Args:
        products: g_i·g_j.
    """
    tasks = len(products)
    projected = torch.eye(tasks, dtype=torch.float64)
    projections = 0
    for i in range(tasks):
        for j in torch.randperm(tasks, generator=generator).tolist():
            along = float(projected[i] @ products[:, j])
            if j != i and along < 0:
                projected[i, j] -= along / float(products[j, j])
                projections += 1
    return projected.sum(dim=0).tolist(), projections


def dot_products(gradients: Sequence[Sequence[Gradient | None]]) -> Float64[Tensor, "tasks tasks"]:
    """g_i·g_j for all pairs of tasks, on the CPU.

    Over 110 million elements one sum in fp32 is off in the fifth digit on a CPU (in the second as a matrix product).
    Chunks of 2²⁰ elements in fp32, added up in fp64, are right to 2e-6 at the same speed; fp64 throughout is four
    times slower.
    """
    tasks = len(gradients)
    products = torch.zeros(tasks, tasks, dtype=torch.float64)
    for i in range(tasks):
        for j in range(i, tasks):
            sums = [
                torch.dot(first, second)
                for one, other in zip(gradients[i], gradients[j], strict=True)
                if one is not None and other is not None
                for first, second in zip(one.reshape(-1).split(CHUNK), other.reshape(-1).split(CHUNK), strict=True)
            ]
            if sums:  # one transfer from the device per pair of tasks
                products[i, j] = products[j, i] = torch.stack(sums).double().sum().cpu()
    return products


def _combine(
    parts: list[Float[Tensor, "*shape"] | None], coefficients: Sequence[float]
) -> Float[Tensor, "*shape"] | None:
    """Σ_k c_k·parts[k], written into the first part that is there."""
    total: Tensor | None = None
    for part, coefficient in zip(parts, coefficients, strict=True):
        if part is None:
            continue
        if total is None:
            total = part if coefficient == 1 else part.mul_(coefficient)
        else:
            total.add_(part, alpha=coefficient)
    return total
