"""Pooling by mean, [CLS] and maximum."""

import torch
from present import present

from bertmt.models.packed.layout import Pass, TokenBatch
from bertmt.models.pooling import pool

# A sentence of two tokens, and one of three.
HIDDEN = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]])
TWO = Pass.of({"sst": TokenBatch.of([[2, 3], [2, 4, 3]])}, heads=1)


def test_the_mean_is_over_the_tokens_of_each_sentence() -> None:
    assert pool(HIDDEN, TWO, "mean").tolist() == [[2.0, 3.0], [7.0, 8.0]]


def test_cls_is_the_first_position() -> None:
    assert pool(HIDDEN, TWO, "cls").tolist() == [[1.0, 2.0], [5.0, 6.0]]


def test_the_maximum_is_over_the_tokens_of_each_sentence_in_each_dimension() -> None:
    hidden = torch.tensor([[1.0, -4.0], [-3.0, -2.0], [5.0, 0.0], [-7.0, 8.0], [3.0, -1.0]])
    assert pool(hidden, TWO, "max").tolist() == [[1.0, -2.0], [5.0, 8.0]]


def test_the_maximum_reads_no_token_of_no_sentence_and_its_gradient_is_where_it_was_found() -> None:
    filled = Pass.of({"sst": TokenBatch.of([[2, 3], [2] * 31])}, heads=1)
    hidden = torch.full((34, 1), -2.0)
    hidden[1], hidden[20], hidden[33] = -1.0, -1.5, 100.0
    hidden.requires_grad_()
    pooled = pool(hidden, filled, "max")
    pooled.sum().backward()
    assert pooled.tolist() == [[-1.0], [-1.5]]
    assert present(hidden.grad).nonzero()[:, 0].tolist() == [1, 20]


def test_a_token_of_no_sentence_adds_nothing_and_no_gradient_reaches_it() -> None:
    filled = Pass.of({"sst": TokenBatch.of([[2, 3], [2] * 31])}, heads=1)
    assert len(filled.input_ids) == 34, "33 tokens were not filled up: this shows nothing"
    hidden = torch.ones(34, 2).index_fill_(0, torch.tensor([33]), 100.0).requires_grad_()
    pooled = pool(hidden, filled, "mean")
    pooled.sum().backward()
    assert pooled.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert present(hidden.grad)[33].tolist() == [0.0, 0.0] and present(hidden.grad)[0].tolist() == [0.5, 0.5]
