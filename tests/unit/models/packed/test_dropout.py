"""Dropout drops the share that it should, keeps the expectation, and can be drawn again."""

import copy
from typing import Any

import pytest
import torch
from padded_encoders import dense, random_sentences, tiny_encoder
from torch import Tensor

from bertmt.models.packed import dropout
from bertmt.models.packed.attention import _Attention
from bertmt.models.packed.dropout import PackedDropout
from bertmt.models.packed.encoder import PackedEncoder
from bertmt.models.packed.layout import Groups, Pass, TokenBatch

attention_of: Any = _Attention.apply
VALUES = 1_000_003  # no multiple of the four that are drawn at once
SHARES = (0.1, 0.5, 0.001, 0.9, 2**-16, 3e-5)


def drawn(share: float, dtype: torch.dtype = torch.float32) -> tuple[Tensor, float]:
    torch.manual_seed(4)
    return dropout.mask(torch.empty(VALUES, dtype=dtype), share)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", SHARES)
def test_the_share_that_is_dropped_is_the_one_asked_for(share: float, dtype: torch.dtype) -> None:
    kept, factor = drawn(share, dtype)
    assert kept.dtype == dtype and set(kept.unique().tolist()) <= {0.0, 1.0}
    realised = 1 - 1 / factor
    assert abs(realised - share) <= 2**-17, "rounded to a multiple of 2⁻¹⁶"
    dropped = 1 - float(kept.double().mean())
    assert abs(dropped - realised) < 5 * (realised * (1 - realised) / VALUES) ** 0.5
    # The factor is that of the realised share, so that the expectation stays.
    assert factor == pytest.approx(1 / (1 - round(share * 2**16) / 2**16), rel=1e-12)


@pytest.mark.parametrize("share", [0.0, 1e-6])
def test_a_share_below_the_smallest_drops_nothing(share: float) -> None:
    kept, factor = drawn(share)
    assert factor == 1.0 and bool((kept == 1).all())


def test_neighbours_are_dropped_independently_of_each_other() -> None:
    kept, _ = drawn(0.5)
    for apart in (1, 2, 3, 4, 8):
        both = float((kept[:-apart] * kept[apart:]).double().mean())
        assert abs(both - 0.25) < 5 * (0.25 * 0.75 / VALUES) ** 0.5


def test_the_same_generator_draws_the_same_and_goes_on() -> None:
    first, again = drawn(0.1)[0], drawn(0.1)[0]
    state = torch.get_rng_state()
    other = dropout.mask(first, 0.1)[0]
    assert first.equal(again) and not first.equal(other)
    torch.set_rng_state(state)
    assert dropout.mask(first, 0.1)[0].equal(other)


def test_a_layer_of_dropout_is_off_in_evaluation_and_multiplies_gradients_by_the_same_mask() -> None:
    layer = PackedDropout(0.25)
    values = torch.randn(1000, requires_grad=True)
    assert layer.eval()(values).equal(values)
    torch.manual_seed(1)
    out = layer.train()(values)
    out.sum().backward()
    gradient = dense(values.grad)
    assert 150 < int((out == 0).sum()) < 350
    torch.testing.assert_close(out, values * gradient)
    assert gradient.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert layer(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.float32


def attention_inputs(lengths: list[int], dtype: torch.dtype) -> tuple[list[Tensor], Groups]:
    current = Pass.of({"a": TokenBatch.of(random_sentences(lengths))}, 2)
    torch.manual_seed(2)
    shape = (len(current.input_ids), 2, 3)
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(3)], current.groups


@pytest.mark.parametrize("reach", [None, 2])
@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("lengths", [[1], [4, 4], [7, 3, 1], [9, 2, 2]])
def test_gradients_of_attention_are_those_of_finite_differences(
    lengths: list[int], share: float, reach: int | None
) -> None:
    inputs, groups = attention_inputs(lengths, torch.float64)

    def attend(*each: Tensor) -> Any:
        torch.manual_seed(3)  # the same values are dropped each time
        return attention_of(*each, groups, 0.7, share, reach)

    assert torch.autograd.gradcheck(attend, inputs, eps=1e-6, atol=1e-7, rtol=1e-5)


def test_attention_with_dropout_keeps_the_expectation_and_drops_by_key() -> None:
    inputs, groups = attention_inputs([9, 5, 2], torch.float64)
    with torch.no_grad():
        exact = attention_of(*inputs, groups, 0.7, 0.0, None)
        torch.manual_seed(3)
        draws = torch.stack([attention_of(*inputs, groups, 0.7, 0.3, None) for _ in range(400)])
    error = (draws.mean(0) - exact).abs()
    assert bool((error <= 5 * draws.std(0) / 400**0.5 + 1e-12).all())
    assert float(draws.std(0).max()) > 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "modernbert"])
def test_recomputed_activations_draw_the_same(family: str, dtype: torch.dtype) -> None:
    plain = tiny_encoder(family, dropout=0.2)
    found = []
    for recompute in (False, True):
        encoder = copy.deepcopy(plain)
        packed = PackedEncoder(encoder)
        if recompute:
            enable = getattr(encoder, "activation_checkpointing_enable", None) or encoder.gradient_checkpointing_enable
            enable({"use_reentrant": False, "preserve_rng_state": True})
        calls: list[int] = []
        layer = next(each for each in encoder.modules() if isinstance(each, torch.nn.Linear))
        layer.register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
        batches = {name: TokenBatch.of(random_sentences(each)) for name, each in (("a", [9, 30, 3]), ("b", [5, 5]))}
        current = Pass.of(batches, packed.heads, apart=True)
        room = packed.task_gradients(2)
        torch.manual_seed(6)
        hidden = packed(current, dtype, room)
        hidden.square().mean().backward()
        parts = [each.clone() for task in room.of_tasks() for each in task]
        found.append((hidden.detach(), parts, torch.get_rng_state(), len(calls)))
    (hidden, parts, state, calls_once), (again, others, state_again, calls_twice) = found
    assert (calls_once, calls_twice) == (1, 2), "nothing was computed anew"
    assert hidden.equal(again) and state.equal(state_again)
    assert all(one.equal(other) for one, other in zip(parts, others, strict=True))
    assert max(float(each.abs().max()) for each in parts) > 0
    assert not bool(torch.isnan(torch.cat([each.flatten() for each in parts])).any())
