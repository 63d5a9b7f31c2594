"""An encoder of transformers that reads sentences one after another, without padding."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from transformers import PreTrainedModel

from bertmt.encoders.families import FAMILIES
from bertmt.models.packed import attention
from bertmt.models.packed.layers import PassState, pack_layers
from bertmt.models.packed.layout import Pass
from bertmt.models.packed.task_gradients import TaskGradients


class PackedEncoder:
    """Runs an encoder, whose layers are exchanged for packed ones; its names and weights stay as they are."""

    def __init__(self, encoder: PreTrainedModel):
        self.encoder = encoder
        self._state = PassState()
        self.row_by_row = True  # the word embeddings; see `words`
        family = FAMILIES[encoder.config.model_type]
        self.heads = int(getattr(encoder.config, family.heads))
        self._has_types = getattr(encoder.config, "type_vocab_size", 0) > 1
        self._first_position = encoder.config.pad_token_id + 1 if family.counts_positions_behind_padding else 0
        encoder.set_attn_implementation(attention.NAME)
        pack_layers(encoder, self._state)

    def __call__(
        self, current: Pass, dtype: torch.dtype, gradients: TaskGradients | None = None
    ) -> Float32[Tensor, "tokens hidden"]:
        """The last hidden states of all tokens.

        Args:
            dtype: of the products.
            gradients: where the gradients of weights go in the backward pass; None: to `.grad`.
        """
        self._state.begin(current, gradients, dtype)
        positions = current.positions + self._first_position if self._first_position else current.positions
        given = {"input_ids": current.input_ids[None], "position_ids": positions[None]}
        if current.types is not None and self._has_types:
            given["token_type_ids"] = current.types[None]
        hidden: Tensor = self.encoder(**given).last_hidden_state
        return hidden.squeeze(0).float()

    def task_gradients(self, tasks: int) -> TaskGradients:
        """Room for the gradients of all its parameters that train, apart by task."""
        table = self.words
        parameters = [each for each in self.encoder.parameters() if each.requires_grad and each is not table]
        return TaskGradients(parameters, table, tasks)

    def copied(self) -> PreTrainedModel:
        """Another encoder with the same weights; those that do not train are the very same ones, as LoRA's base."""
        same = [self._state, *(each for each in self.encoder.parameters() if not each.requires_grad)]
        return copy.deepcopy(self.encoder, memo={id(each): each for each in same})

    @property
    def words(self) -> nn.Parameter | None:
        """The table of word embeddings, if it trains and only the rows that occur are to be touched.

        A GPU has the memory's speed to treat it as any other parameter, and would wait for the rows to be found; and
        where hidden words are guessed every row has a gradient.
        """
        table: nn.Parameter = self.encoder.get_input_embeddings().weight
        return table if table.requires_grad and table.device.type == "cpu" and self.row_by_row else None

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """A scope in which weights do not change, so that one cast of each serves all passes."""
        self._state.keeps_casts = True
        try:
            yield
        finally:
            self._state.keeps_casts = False
            self._state.forget_casts()
