"""Mean and [CLS] pooling."""

import torch
from present import present

from bertmt.models.pooling import pool

HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, -100.0]], [[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


def test_the_mean_is_over_tokens_and_not_over_padding() -> None:
    assert pool(HIDDEN, MASK, "mean").tolist() == [[2.0, 3.0], [7.0, 8.0]]


def test_cls_is_the_first_position() -> None:
    assert pool(HIDDEN, MASK, "cls").tolist() == [[1.0, 2.0], [5.0, 6.0]]


def test_no_gradient_reaches_padding() -> None:
    hidden = HIDDEN.clone().requires_grad_()
    pool(hidden, MASK, "mean").sum().backward()
    assert present(hidden.grad)[0, 2].tolist() == [0.0, 0.0] and present(hidden.grad)[0, 0].tolist() == [0.5, 0.5]
