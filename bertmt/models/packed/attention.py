"""Attention among the tokens of each sentence, of sentences that stand one after another."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import AttentionInterface

from bertmt.models.packed import dropout as dropouts
from bertmt.models.packed.layout import Group, Groups

NAME = "bertmt_packed"


def attend(
    module: Any,
    query: Float[Tensor, "1 heads tokens width"],
    key: Float[Tensor, "1 heads tokens width"],
    value: Float[Tensor, "1 heads tokens width"],
    attention_mask: None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Float[Tensor, "1 tokens heads width"], None]:
    """What transformers calls for the attention of every layer.

    Args:
        sliding_window: not None where a token sees its neighbours only (ModernBERT).
    """
    reach = module.config.local_attention // 2 if sliding_window is not None else None
    rows = [each.squeeze(0).transpose(0, 1) for each in (query, key, value)]
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    settings = module.packed_state.current.groups, scaling, dropout, reach
    out: Tensor = _Attention.apply(*rows, *settings)  # type: ignore[no-untyped-call]  # in torch
    return out.unsqueeze(0), None


AttentionInterface.register(NAME, attend)


class _Attention(torch.autograd.Function):
    """softmax(QKᵀ · scaling) V by group, with dropout of the softmax's values.

    By hand, since autograd would write a gradient of all tokens for each group, and since PyTorch's own has on a CPU no
    fast way with dropout.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Float[Tensor, "tokens heads width"],
        key: Float[Tensor, "tokens heads width"],
        value: Float[Tensor, "tokens heads width"],
        groups: Groups,
        scaling: float,
        dropout: float,
        reach: int | None,
    ) -> Float[Tensor, "tokens heads width"]:
        queries, keys, values = (_exact(_padded(each, groups)) for each in (query, key, value))
        out = _room(queries)
        factor, saved = 1.0, []
        for group in groups.each:
            q, k, v = (_of(group, each) for each in (queries, keys, values))
            hidden = _hidden(group, reach, q)
            if hidden is None:
                scores = torch.baddbmm(q.new_empty(()), q, k.transpose(1, 2), beta=0, alpha=scaling)
            else:
                scores = torch.baddbmm(hidden, q, k.transpose(1, 2), alpha=scaling)
            shares = scores.softmax(dim=-1)
            kept, factor = dropouts.mask(shares, dropout) if dropout else (None, 1.0)
            if group.keys is not None and any(ctx.needs_input_grad):  # from a query at padding nothing is learnt
                kept = torch.ones_like(shares) if kept is None else kept
                by_head = kept.view(group.sentences, -1, group.longest, group.longest)
                by_head.mul_(group.keys[:, None, :, None].to(kept.dtype))
            torch.bmm(shares if kept is None else shares * kept, v, out=_of(group, out))
            saved += [shares, kept]
        ctx.groups, ctx.scaling, ctx.factor, ctx.shape = groups, scaling, factor, query.shape
        ctx.save_for_backward(queries, keys, values, *saved)
        together = out.index_select(0, groups.places).view(query.shape)
        return (together.mul_(factor) if dropout else together).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "tokens heads width"]) -> tuple[Float[Tensor, "..."] | None, ...]:
        queries, keys, values, *saved = ctx.saved_tensors
        gradients = _exact(_padded(gradient, ctx.groups)).mul_(ctx.factor)
        found = [_room(queries) for _ in range(3)]
        for group, shares, kept in zip(ctx.groups.each, saved[::2], saved[1::2], strict=True):
            q, k, v, g = (_of(group, each) for each in (queries, keys, values, gradients))
            to_query, to_key, to_value = (_of(group, each) for each in found)
            torch.bmm((shares if kept is None else shares * kept).transpose(1, 2), g, out=to_value)
            to_shares = torch.bmm(g, v.transpose(1, 2))
            if kept is not None:
                to_shares.mul_(kept)
            to_scores = torch._softmax_backward_data(to_shares, shares, -1, shares.dtype)
            torch.baddbmm(to_query, to_scores, k, beta=0, alpha=ctx.scaling, out=to_query)
            torch.baddbmm(to_key, to_scores.transpose(1, 2), q, beta=0, alpha=ctx.scaling, out=to_key)
        back = (each.index_select(0, ctx.groups.places).view(ctx.shape).to(gradient.dtype) for each in found)
        return *back, None, None, None, None


def _padded(rows: Float[Tensor, "tokens heads width"], groups: Groups) -> Float[Tensor, "places width"]:
    """The tokens' vectors as they stand in the groups."""
    return rows.reshape(-1, rows.shape[-1]).index_select(0, groups.padded)


def _room(places: Float[Tensor, "places width"]) -> Float[Tensor, "places_and_one width"]:
    """Room for as many vectors, and a 0 behind them, for tokens that belong to no sentence."""
    room = places.new_empty(len(places) + 1, places.shape[-1])
    room[-1] = 0
    return room


def _exact(places: Float[Tensor, "places width"]) -> Float[Tensor, "places width"]:
    """Out of bf16 on a CPU; on a GPU as they are.

    These products are many and small. In bf16 a CPU's library would make a program for each number and length of
    sentences, a thousand of which take 0.5 GB, and be no faster.
    """
    return places.float() if places.device.type == "cpu" and places.dtype == torch.bfloat16 else places


def _of(group: Group, places: Float[Tensor, "places width"]) -> Float[Tensor, "both longest width"]:
    """A group's vectors, by sentence and head."""
    return places[group.rows].view(-1, group.longest, places.shape[-1])


def _hidden(
    group: Group, reach: int | None, like: Float[Tensor, "both longest width"]
) -> Float[Tensor, "both ... longest"] | None:
    """What is added to scores: the least number for a key that a query may not see; None where each sees all.

    Not −∞: a query at padding may see no key at all, and its NaN would reach the gradients of all keys and values.
    """
    seen = None if group.keys is None else group.keys[:, None, None, :]
    if reach is not None and group.longest > reach + 1:
        at = torch.arange(group.longest, device=like.device)
        near = (at[:, None] - at).abs() <= reach
        seen = near if seen is None else seen & near
    if seen is None:
        return None
    added = torch.zeros(seen.shape, dtype=like.dtype, device=like.device)
    added.masked_fill_(~seen, torch.finfo(like.dtype).min)
    heads = len(like) // group.sentences
    return added.expand(group.sentences, heads, -1, -1).reshape(len(like), -1, group.longest)
