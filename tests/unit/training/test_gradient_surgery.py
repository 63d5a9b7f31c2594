"""Gradient surgery: its defining property, the textbook loop, and the precision of its dot products."""

from typing import Any

import pytest
import torch
from present import present
from torch import Tensor

from bertmt.training.steps.gradient_surgery import dot_products, project_conflicts

SHAPES = [(4, 3), (5,), (2, 2, 2)]
CHUNK_AT_MOST = 2**20  # elements that may be summed in fp32


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_gradients(tasks: int, seed: int, shapes: list[tuple[int, ...]] = SHAPES) -> list[list[Tensor]]:
    source = generator(seed)
    return [[torch.randn(shape, dtype=torch.float64, generator=source) for shape in shapes] for _ in range(tasks)]


def flat(tensors: list[Tensor] | list[Tensor | None]) -> Tensor:
    return torch.cat([present(each).flatten() for each in tensors])


def copied(gradients: list[Any] | list[list[Tensor]] | list[list[Tensor | None]]) -> list[Any]:
    return [[None if each is None else each.clone() for each in task] for task in gradients]


def textbook(gradients: list[list[Tensor]], order: torch.Generator) -> tuple[Tensor, int]:
    """Algorithm 1 of Yu et al. 2020, to the letter."""
    original = [flat(task) for task in gradients]
    total, projections = torch.zeros_like(original[0]), 0
    for i, gradient in enumerate(original):
        projected = gradient.clone()
        for j in torch.randperm(len(original), generator=order).tolist():
            if j != i and projected @ original[j] < 0:
                projected -= (projected @ original[j]) / (original[j] @ original[j]) * original[j]
                projections += 1
        total += projected
    return total, projections


@pytest.mark.parametrize("seed", range(20))
def test_a_projected_gradient_no_longer_points_against_the_other_task(seed: int) -> None:
    a, b = random_gradients(2, seed)
    if flat(a) @ flat(b) > 0:
        b = [-each for each in b]
    assert flat(a) @ flat(b) < 0
    # How long b is does not matter to what is left of a: a very short b leaves little else in the sum.
    short = [1e-12 * each for each in b]
    left = flat(project_conflicts(copied([a, short]), generator()).combined)
    assert abs(left @ flat(b)) < 1e-9  # orthogonal: no more was taken away than needed
    combined = flat(project_conflicts(copied([a, b]), generator()).combined)
    assert combined @ flat(a) >= 0 and combined @ flat(b) >= 0


@pytest.mark.parametrize("shapes", [SHAPES, [(1,), (2,)]], ids=["some conflicts", "many conflicts"])
@pytest.mark.parametrize("tasks", [2, 3, 5])
@pytest.mark.parametrize("seed", range(20))
def test_it_equals_the_textbook_loop(tasks: int, seed: int, shapes: list[tuple[int, ...]]) -> None:
    gradients = random_gradients(tasks, seed, shapes)
    expected, projections = textbook(gradients, generator(seed))
    found = project_conflicts(copied(gradients), generator(seed))
    torch.testing.assert_close(flat(found.combined), expected)
    assert (found.projections, found.pairs) == (projections, tasks * (tasks - 1))
    assert [present(each).shape for each in found.combined] == [torch.Size(shape) for shape in shapes]


def test_the_random_order_matters_and_comes_from_the_generator() -> None:
    gradients = random_gradients(5, seed=2)
    found = {seed: flat(project_conflicts(copied(gradients), generator(seed)).combined) for seed in range(8)}
    assert torch.equal(found[3], flat(project_conflicts(copied(gradients), generator(3)).combined))
    assert any(not torch.equal(found[0], found[seed]) for seed in range(1, 8))


def test_a_restored_generator_repeats_a_step() -> None:
    source = generator()
    project_conflicts(random_gradients(5, 1), source)
    state = source.get_state()
    once = project_conflicts(random_gradients(5, 2), source)
    source.set_state(state)
    again = project_conflicts(random_gradients(5, 2), source)
    assert torch.equal(flat(once.combined), flat(again.combined))


def test_the_global_generator_plays_no_part() -> None:
    before = torch.get_rng_state()
    project_conflicts(random_gradients(3, 1), generator())
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_conflict_the_result_is_the_plain_sum() -> None:
    gradients = [[torch.rand(4, 3), torch.rand(5)] for _ in range(3)]  # positive, so no dot product is negative
    expected = [a + b + c for a, b, c in zip(*gradients, strict=True)]
    found = project_conflicts(gradients, generator())
    assert all(torch.equal(present(one), other) for one, other in zip(found.combined, expected, strict=True)) and (
        found.projections,
        found.pairs,
    ) == (0, 6)


def test_opposite_gradients_cancel() -> None:
    one = random_gradients(1, 0)[0]
    found = project_conflicts([[each.clone() for each in one], [-each for each in one]], generator())
    assert found.projections == 2 and flat(found.combined).abs().max() < 1e-12


def test_one_task_keeps_its_gradient() -> None:
    gradients = random_gradients(1, 0)
    found = project_conflicts(copied(gradients), generator())
    assert torch.equal(flat(found.combined), flat(gradients[0])) and (found.projections, found.pairs) == (0, 0)


def test_a_zero_gradient_is_neither_projected_nor_projected_onto() -> None:
    gradients = random_gradients(2, 0)
    zero = [torch.zeros_like(each) for each in gradients[0]]
    with_zero = project_conflicts([*copied(gradients), zero], generator())
    torch.testing.assert_close(flat(with_zero.combined), textbook(gradients, generator())[0])


def test_none_counts_as_zero() -> None:
    a, b = random_gradients(2, 3)
    partly = [[a[0], None, a[2]], [None, None, -b[2]]]
    filled = [[a[0], torch.zeros(5).double(), a[2]], [torch.zeros(4, 3).double(), torch.zeros(5).double(), -b[2]]]
    expected = project_conflicts(copied(filled), generator())
    found = project_conflicts(copied(partly), generator())
    assert found.combined[1] is None and found.projections == expected.projections
    torch.testing.assert_close(found.combined[0], expected.combined[0])
    torch.testing.assert_close(found.combined[2], expected.combined[2])


def test_tasks_without_any_gradient_give_none() -> None:
    assert project_conflicts([[None], [None]], generator()).combined == [None]


def test_tasks_with_different_numbers_of_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        project_conflicts([[torch.ones(1)], [torch.ones(1), torch.ones(1)]], generator())


def test_dot_products_are_those_of_fp64() -> None:
    source = generator()
    gradients = [[torch.randn(size, generator=source) for size in (2 * CHUNK_AT_MOST + 17, 3)] for _ in range(3)]
    exact = torch.stack([flat(task).double() for task in gradients])
    scale = exact.norm(dim=1).outer(exact.norm(dim=1))
    assert ((dot_products(gradients) - exact @ exact.T).abs() / scale).max() < 1e-5


LARGE, SMALL = torch.tensor([2.0**13]), torch.tensor([1.0])  # in fp32, 2²⁶ − 1 − 2²⁶ is 0
PADDING = torch.zeros(CHUNK_AT_MOST - 1)


@pytest.mark.parametrize(
    "gradients",
    [
        [[LARGE, SMALL, LARGE], [LARGE, -SMALL, -LARGE]],
        [
            [torch.cat([LARGE, PADDING, SMALL, PADDING, LARGE])],
            [torch.cat([LARGE, PADDING, -SMALL, PADDING, -LARGE])],
        ],
    ],
    ids=["parameters", "chunks of a parameter"],
)
def test_parameters_and_chunks_are_added_up_in_fp64(gradients: list[list[Tensor]]) -> None:
    assert dot_products(gradients)[0, 1] == -1
