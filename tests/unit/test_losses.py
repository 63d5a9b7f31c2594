"""Every loss against a value by hand, a slow reference, autograd's numerical check, and degenerate batches."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from present import present
from torch import Tensor

from bertmt.losses.binary_cross_entropy import binary_cross_entropy
from bertmt.losses.cosent import cosent
from bertmt.losses.cosine_embedding import cosine_embedding
from bertmt.losses.cross_entropy import cross_entropy
from bertmt.losses.disagreement import disagreement
from bertmt.losses.mean_squared_error import mean_squared_error
from bertmt.losses.multiple_negatives_ranking import multiple_negatives_ranking
from bertmt.losses.pearson import pearson_loss
from bertmt.tasks.task import Task

SIMILARITIES = torch.tensor([5.0, 0.0, 3.5, 1.0, 0.99, 2.2, 3.49])


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def cosine(u: Tensor, v: Tensor) -> float:
    dot = sum(float(a) * float(b) for a, b in zip(u, v, strict=True))
    return dot / math.sqrt(sum(float(a) ** 2 for a in u) * sum(float(b) ** 2 for b in v))


# Values by hand


def test_cross_entropy_by_hand() -> None:
    # softmax(0, log 3) = (1/4, 3/4)
    logits = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]])
    assert cross_entropy(logits, torch.tensor([1, 0])).item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


def test_binary_cross_entropy_by_hand() -> None:
    # σ(log 3) = 3/4
    logits = torch.tensor([math.log(3), math.log(3)])
    assert binary_cross_entropy(logits, torch.tensor([1, 0])).item() == pytest.approx(
        (math.log(4 / 3) + math.log(4)) / 2
    )


def test_mean_squared_error_compares_the_cosine_with_a_fifth_of_the_label() -> None:
    loss = mean_squared_error(torch.tensor([0.5, 1.0]), torch.tensor([5.0, 4.0]), 0, 5)
    assert loss.item() == pytest.approx((0.5**2 + 0.2**2) / 2)


def test_mean_squared_error_maps_any_range_to_0_to_1() -> None:
    loss = mean_squared_error(torch.tensor([0.5, 0.0]), torch.tensor([3.0, -1.0]), -1, 3)  # the ends: 1 and 0
    assert loss.item() == pytest.approx(0.5**2 / 2)


def test_pearson_by_hand() -> None:
    # Deviations (−1, 0, 1) and (−1, 1, 0): covariance 1/3, variances 2/3.
    found = pearson_loss(torch.tensor([0.1, 0.2, 0.3]), torch.tensor([1.0, 3.0, 2.0]))
    assert found.defined and found.loss.item() == pytest.approx(-0.5)


def test_multiple_negatives_ranking_by_hand() -> None:
    # Cosines: 1 with its own pair, 0 with the other.
    first = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    loss = multiple_negatives_ranking(first, 5 * first, scale=1.0)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))
    assert multiple_negatives_ranking(first, first, scale=3.0).item() == pytest.approx(math.log(1 + math.exp(-3)))


def test_cosine_embedding_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0]] * 4)
    second = torch.tensor([[0.6, 0.8], [0.6, 0.8], [-1.0, 0.0], [1.0, 0.0]])
    # Similar: 1 − 0.6. Dissimilar: 0.6, and max(0, −1). Between: left out.
    loss = cosine_embedding(first, second, torch.tensor([4.0, 0.5, 0.0, 2.0]), positive=3.5, negative=1.0)
    assert loss.item() == pytest.approx((0.4 + 0.6 + 0.0) / 3)


def test_the_thresholds_are_at_least_and_below() -> None:
    first, second = torch.tensor([[1.0, 0.0]] * 3), torch.tensor([[0.6, 0.8]] * 3)
    similarities = torch.tensor([3.5, 1.0, 0.999])  # similar, between, dissimilar
    assert cosine_embedding(first, second, similarities, 3.5, 1.0).item() == pytest.approx((0.4 + 0.6) / 2)


# Slow references


@pytest.mark.parametrize("seed", range(3))
def test_cross_entropy_equals_the_loop(seed: int) -> None:
    logits, labels = numbers(6, 5, seed=seed), [0, 4, 2, 2, 1, 3]
    terms = [
        -math.log(math.exp(row[label]) / sum(math.exp(each) for each in row))
        for row, label in zip(logits.tolist(), labels, strict=True)
    ]
    assert cross_entropy(logits, torch.tensor(labels)).item() == pytest.approx(sum(terms) / 6)


@pytest.mark.parametrize("seed", range(3))
def test_binary_cross_entropy_equals_the_loop(seed: int) -> None:
    logits, labels = numbers(6, seed=seed), [0, 1, 1, 0, 1, 0]
    terms = [
        -(y * math.log(1 / (1 + math.exp(-l))) + (1 - y) * math.log(1 - 1 / (1 + math.exp(-l))))
        for l, y in zip(logits.tolist(), labels, strict=True)  # noqa: E741 - the paper's symbol
    ]
    assert binary_cross_entropy(logits, torch.tensor(labels)).item() == pytest.approx(sum(terms) / 6)


@pytest.mark.parametrize("seed", range(5))
def test_pearson_is_minus_numpys_correlation(seed: int) -> None:
    cosines, labels = numbers(8, seed=seed), numbers(8, seed=seed + 100)
    expected = -np.corrcoef(cosines, labels)[0, 1]
    assert pearson_loss(cosines, labels).loss.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_multiple_negatives_ranking_equals_the_loop(scale: float) -> None:
    first, second = numbers(4, 3, seed=1), numbers(4, 3, seed=2)
    total = 0.0
    for i in range(4):
        scores = [math.exp(scale * cosine(first[i], second[k])) for k in range(4)]
        total -= math.log(scores[i] / sum(scores))
    assert multiple_negatives_ranking(first, second, scale).item() == pytest.approx(total / 4)


def test_cosine_embedding_equals_the_loop() -> None:
    first, second = numbers(7, 3, seed=1), numbers(7, 3, seed=2)
    terms = []
    for u, v, similarity in zip(first, second, SIMILARITIES.tolist(), strict=True):
        if similarity >= 3.5:
            terms.append(1 - cosine(u, v))
        elif similarity < 1.0:
            terms.append(max(0.0, cosine(u, v)))
    assert len(terms) == 4
    assert cosine_embedding(first, second, SIMILARITIES, 3.5, 1.0).item() == pytest.approx(sum(terms) / 4)


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_cosent_equals_the_loop_over_pairs_in_the_wrong_order(scale: float) -> None:
    outputs, total = numbers(7, seed=5), 1.0
    for i in range(7):
        for j in range(7):
            if SIMILARITIES[i] > SIMILARITIES[j]:
                total += math.exp(scale * (float(outputs[j]) - float(outputs[i])))
    assert cosent(outputs, SIMILARITIES, scale).item() == pytest.approx(math.log(total))


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_disagreement_equals_the_loop_over_both_divergences(classes: int) -> None:
    task = Task(
        name="x", title="X", inputs="single", classes=("a", "b", "c")[:classes],
        metrics=("accuracy" if classes else "pearson",),
    )  # fmt: skip
    shape = (4, 3) if classes == 3 else (4,)
    one, other, total = numbers(*shape, seed=1), numbers(*shape, seed=2), 0.0
    for a, b in zip(one, other, strict=True):
        if not classes:
            total += (float(a) - float(b)) ** 2
            continue
        p, q = (
            each.softmax(0) if classes == 3 else torch.stack([each.sigmoid(), 1 - each.sigmoid()]) for each in (a, b)
        )
        for x, y in zip(p.tolist(), q.tolist(), strict=True):
            total += (x * math.log(x / y) + y * math.log(y / x)) / 2
    assert disagreement(task, one, other).item() == pytest.approx(total / 4)
    assert disagreement(task, one, one).item() == 0


# Gradients

LABELS = torch.tensor([0, 1, 1, 0, 1])
GRADIENT_CASES: dict[str, tuple[Callable[..., Tensor], list[Tensor]]] = {
    "cross entropy": (lambda x: cross_entropy(x, LABELS), [numbers(5, 5)]),
    "binary cross entropy": (lambda x: binary_cross_entropy(x, LABELS), [numbers(5)]),
    "mean squared error": (lambda x: mean_squared_error(x, SIMILARITIES, 0, 5), [numbers(7)]),
    "pearson": (lambda x: pearson_loss(x, SIMILARITIES).loss, [numbers(7)]),
    "cosent": (lambda x: cosent(x, SIMILARITIES, 3.0), [numbers(7)]),
    "multiple negatives ranking": (
        lambda u, v: multiple_negatives_ranking(u, v, 3.0),
        [numbers(4, 3, seed=1), numbers(4, 3, seed=2)],
    ),
    "cosine embedding": (
        lambda u, v: cosine_embedding(u, v, SIMILARITIES, 3.5, 1.0),
        [numbers(7, 3, seed=1), numbers(7, 3, seed=2)],
    ),
}


@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_gradients_equal_numerical_ones(name: str) -> None:
    loss, inputs = GRADIENT_CASES[name]
    assert torch.autograd.gradcheck(loss, [each.requires_grad_() for each in inputs])


@pytest.mark.parametrize("name", GRADIENT_CASES)
@pytest.mark.parametrize("given", [torch.bfloat16, torch.float32])
def test_losses_are_fp32_even_of_bf16_inputs(name: str, given: torch.dtype) -> None:
    loss, inputs = GRADIENT_CASES[name]
    assert loss(*[each.detach().to(given) for each in inputs]).dtype == torch.float32


# Degenerate batches


@pytest.mark.parametrize(
    ("cosines", "labels"),
    [
        ([], []),
        ([0.5], [3.0]),
        ([0.5, 0.7], [3.0, 4.0]),
        ([0.1, 0.1, 0.1], [1.0, 2.0, 3.0]),
        ([0.1, 0.2, 0.3], [0.1, 0.1, 0.1]),
        ([0.3] * 7, [1.1] * 7),
    ],
)
def test_a_batch_without_a_correlation_has_loss_0_and_no_gradient(cosines: list[float], labels: list[float]) -> None:
    loss, defined = pearson_loss(torch.tensor(cosines, requires_grad=True), torch.tensor(labels))
    assert (loss.item(), loss.requires_grad, defined) == (0.0, False, False)


def test_a_tiny_variance_counts_for_little() -> None:
    cosines = torch.tensor([0.9, 0.9, 0.9 + 6e-8], requires_grad=True)  # neighbours in fp32
    loss, defined = pearson_loss(cosines, torch.tensor([1.0, 2.0, 3.0]))
    loss.backward()
    step = cosines[2].double().item() - cosines[0].double().item()
    expected = -(step / 3) / math.sqrt(2 / 9 * step**2 * 2 / 3 + 1e-12)
    assert defined and loss.item() == pytest.approx(expected, rel=0.2) and abs(expected) < 0.05
    assert present(cosines.grad).isfinite().all()


def test_pearson_does_not_depend_on_the_scale_of_the_labels() -> None:
    cosines, labels = numbers(9, seed=3), numbers(9, seed=4)
    once, again = (pearson_loss(cosines, each).loss.item() for each in (labels, 5 * labels + 2))
    assert once == pytest.approx(again)


def test_pearson_passes_a_nan_on() -> None:
    found = pearson_loss(torch.tensor([0.1, float("nan"), 0.3, 0.4]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert found.defined and found.loss.isnan()


@pytest.mark.parametrize("labels", [[3.0], [2.0, 2.0, 2.0]])
def test_cosent_of_equal_labels_is_0_with_gradient_0(labels: list[float]) -> None:
    outputs = numbers(len(labels)).requires_grad_()
    loss = cosent(outputs, torch.tensor(labels), 20.0)
    loss.backward()
    assert loss.item() == 0 and present(outputs.grad).abs().max() == 0


def test_cosent_of_predictions_far_apart_is_finite() -> None:
    assert cosent(torch.tensor([1e4, -1e4]), torch.tensor([0, 1]), 20.0).item() == pytest.approx(4e5)


def test_a_batch_of_one_has_no_negatives_and_loss_0() -> None:
    assert multiple_negatives_ranking(numbers(1, 3), numbers(1, 3, seed=1), 1.0).item() == 0


def test_a_batch_of_pairs_between_the_thresholds_has_loss_0_and_gradient_0() -> None:
    first = numbers(2, 3).requires_grad_()
    loss = cosine_embedding(first, numbers(2, 3, seed=1), torch.tensor([1.0, 3.4]), 3.5, 1.0)
    loss.backward()
    assert loss.item() == 0 and present(first.grad).abs().max() == 0


@pytest.mark.parametrize("embedding", [[0.0, 0.0], [1e-20, 0.0]])
def test_embeddings_without_length_give_finite_losses_and_gradients(embedding: list[float]) -> None:
    first = torch.tensor([embedding, [1.0, 2.0]], requires_grad=True)
    second = torch.tensor([[1.0, 1.0], [0.5, 2.0]])
    total = multiple_negatives_ranking(first, second, 1.0) + cosine_embedding(
        first, second, torch.tensor([5.0, 0.0]), 3.5, 1.0
    )
    total.backward()
    assert total.isfinite() and present(first.grad).isfinite().all()


def test_extreme_logits_give_finite_losses() -> None:
    extreme = torch.tensor([1e4, -1e4])
    assert binary_cross_entropy(extreme, torch.tensor([0, 1])).item() == pytest.approx(1e4)
    assert cross_entropy(torch.tensor([[1e4, -1e4]]), torch.tensor([1])).item() == pytest.approx(2e4)
