"""The layers of an encoder of transformers, made to read packed tokens and to keep gradients apart by task.

They take the place of PyTorch's own by class: a module keeps its name, its weights and its place. Products are in the
format of the pass (bf16 or fp32), everything else is in fp32.
"""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from bertmt.models.packed.dropout import PackedDropout
from bertmt.models.packed.layout import Pass
from bertmt.models.packed.task_gradients import TaskGradients


class PassState:
    """What the layers of one encoder share during a pass.

    Attributes:
        current: the pass.
        gradients: where weights' gradients go; None: to autograd, as ever.
        dtype: of products.
        keeps_casts: weights stay as they are for several passes, so one cast of each serves all.
    """

    def __init__(self) -> None:
        self.current: Pass | None = None
        self.gradients: TaskGradients | None = None
        self.dtype = torch.float32
        self.keeps_casts = False
        self._casts: dict[int, tuple[int, Tensor]] = {}
        self._last: tuple[Tensor, Tensor] | None = None

    def begin(self, current: Pass, gradients: TaskGradients | None, dtype: torch.dtype) -> None:
        """A pass begins."""
        self.current, self.gradients, self.dtype = current, gradients, dtype
        self._last = None
        if gradients is not None:
            gradients.begin(current)

    def forget_casts(self) -> None:
        """Free the casts that were kept."""
        self._casts.clear()

    def weight(self, parameter: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """A weight in the format of products; frozen ones are cast once."""
        if parameter.dtype == self.dtype:
            return parameter.detach()
        # What is made in inference mode cannot serve a backward pass later on.
        if not self.keeps_casts and (parameter.requires_grad or torch.is_inference_mode_enabled()):
            return parameter.detach().to(self.dtype)
        version, cast = self._casts.get(id(parameter), (-1, parameter))
        if version != parameter._version or cast.dtype != self.dtype:
            cast = parameter.detach().to(self.dtype)
            self._casts[id(parameter)] = parameter._version, cast
        return cast

    def activations(self, values: Float[Tensor, "*tokens hidden"]) -> Float[Tensor, "*tokens hidden"]:
        """Activations in the format of products; one cast for all layers that read the same ones (Q, K and V)."""
        if values.dtype == self.dtype:
            return values
        if self._last is None or self._last[0] is not values:
            self._last = values, values.to(self.dtype)
        return self._last[1]


class PackedLinear(nn.Linear):
    """x Wᵀ + b."""

    packed_state: PassState

    def forward(self, x: Float[Tensor, "*tokens inputs"]) -> Float[Tensor, "*tokens outputs"]:
        """In the format of products."""
        state = self.packed_state
        out: Tensor = _Linear.apply(state.activations(x), self.weight, self.bias, state)  # type: ignore[no-untyped-call]  # in torch
        return out


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Float[Tensor, "*tokens inputs"],
        weight: Float[Tensor, "outputs inputs"],
        bias: Float[Tensor, "outputs"] | None,
        state: PassState,
    ) -> Float[Tensor, "*tokens outputs"]:
        cast = state.weight(weight)
        ctx.save_for_backward(x, cast)
        ctx.parameters, ctx.gradients, ctx.current = (weight, bias), state.gradients, state.current
        return functional.linear(x, cast, None if bias is None else state.weight(bias))

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "*tokens outputs"]) -> tuple[Float[Tensor, "..."] | None, ...]:
        x, cast = ctx.saved_tensors
        weight, bias = ctx.parameters
        to_x = gradient @ cast if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return to_x, None, None, None
        rows, inputs = gradient.reshape(-1, gradient.shape[-1]), x.reshape(-1, x.shape[-1])
        if ctx.gradients is None:
            to_bias = None if bias is None else rows.sum(0).to(bias.dtype)
            return to_x, (rows.t() @ inputs).to(weight.dtype), to_bias, None
        for task, part in enumerate(ctx.current.parts):
            own = rows[part]
            ctx.gradients.keep(weight, task, own.t() @ inputs[part])
            if bias is not None:
                ctx.gradients.keep(bias, task, own.sum(0))
        return to_x, None, None, None


class PackedNorm(nn.LayerNorm):
    """Layer norm, in fp32."""

    packed_state: PassState

    def forward(self, x: Float[Tensor, "*tokens hidden"]) -> Float[Tensor, "*tokens hidden"]:
        """As PyTorch's."""
        values = x.float()
        if self.packed_state.gradients is None or not self.weight.requires_grad:
            return functional.layer_norm(values, self.normalized_shape, self.weight, self.bias, self.eps)
        settings = self.normalized_shape, self.eps, self.packed_state
        out: Tensor = _Norm.apply(values, self.weight, self.bias, *settings)  # type: ignore[no-untyped-call]  # in torch
        return out


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Float[Tensor, "*tokens hidden"],
        weight: Float[Tensor, "hidden"],
        bias: Float[Tensor, "hidden"] | None,
        shape: Any,
        eps: float,
        state: PassState,
    ) -> Float[Tensor, "*tokens hidden"]:
        out: Tensor
        out, mean, deviation = torch.ops.aten.native_layer_norm(x, shape, weight, bias, eps)
        ctx.save_for_backward(x, mean, deviation)
        ctx.parameters, ctx.shape = (weight, bias), shape
        ctx.gradients, ctx.current = state.gradients, state.current
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "*tokens hidden"]) -> tuple[Float[Tensor, "..."] | None, ...]:
        x, mean, deviation = ctx.saved_tensors
        weight, bias = ctx.parameters
        found = torch.empty_like(x)
        # Of one sequence of tokens ("1 tokens hidden").
        rows = [each.reshape(-1, each.shape[-1]) for each in (gradient, x, mean, deviation, found)]
        for task, part in enumerate(ctx.current.parts):
            own, inputs, means, deviations, out = (each[part] for each in rows)
            to_x, to_weight, to_bias = torch.ops.aten.native_layer_norm_backward(
                own, inputs, ctx.shape, means, deviations, weight, bias, [True, True, bias is not None]
            )
            out.copy_(to_x)
            ctx.gradients.keep(weight, task, to_weight)
            if bias is not None:
                ctx.gradients.keep(bias, task, to_bias)
        return found, None, None, None, None, None


class PackedEmbedding(nn.Embedding):
    """A table of embeddings: of words, of positions, of token types."""

    packed_state: PassState

    def forward(self, index: Int64[Tensor, "*tokens"]) -> Float[Tensor, "*tokens hidden"]:
        """As PyTorch's."""
        if self.packed_state.gradients is None or not self.weight.requires_grad:
            return functional.embedding(index, self.weight)
        out: Tensor = _Embedding.apply(index, self.weight, self.packed_state)  # type: ignore[no-untyped-call]  # in torch
        return out


class _Embedding(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, index: Int64[Tensor, "*tokens"], weight: Float[Tensor, "rows hidden"], state: PassState
    ) -> Float[Tensor, "*tokens hidden"]:
        ctx.index, ctx.weight, ctx.gradients, ctx.current = index, weight, state.gradients, state.current
        return functional.embedding(index, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "*tokens hidden"]) -> tuple[None, None, None]:
        rows = gradient.reshape(-1, gradient.shape[-1])
        if ctx.weight is ctx.gradients.words:
            ctx.gradients.keep_words(rows)
            return None, None, None
        index = ctx.index.reshape(-1)
        for task, part in enumerate(ctx.current.parts):
            ctx.gradients.keep_sums(ctx.weight, task, index[part], rows[part])
        return None, None, None


_PACKED: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: PackedLinear,
    nn.LayerNorm: PackedNorm,
    nn.Embedding: PackedEmbedding,
    nn.Dropout: PackedDropout,
}


def pack_layers(encoder: nn.Module, state: PassState) -> None:
    """Let all layers of an encoder read packed tokens, and share `state`.

    Raises:
        TypeError: a layer with parameters of its own is of another kind, whose gradients would be lost.
    """
    for module in encoder.modules():
        module.__class__ = _PACKED.get(type(module), type(module))
        if next(module.parameters(recurse=False), None) is not None and type(module) not in _PACKED.values():
            raise TypeError(f"A layer of the kind {type(module).__name__} cannot read packed tokens.")
        module.packed_state = state  # type: ignore[assignment]
