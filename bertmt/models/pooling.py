"""From the encoder's last hidden states to one embedding per sentence."""

from typing import Literal

from jaxtyping import Float32
from torch import Tensor

from bertmt.models.packed.layout import Pass

Pooling = Literal["mean", "cls", "max"]


def pool(
    hidden: Float32[Tensor, "tokens hidden"], current: Pass, pooling: Pooling
) -> Float32[Tensor, "sentences hidden"]:
    """One embedding per sentence of a pass.

    Args:
        hidden: last hidden states.
        pooling: "mean" over the tokens, [CLS] and [SEP] among them, for the tasks (section 4.1); "cls", the last hidden
            state at position 0, for the cosine embedding loss (section 4.3), decision 2: BERT's pooler is not built;
            "max", of each dimension the greatest value of a token (Reimers and Gurevych 2019, section 3).
    """
    if pooling == "cls":
        return hidden.index_select(0, current.first_tokens)
    if pooling == "max":
        # Those of no sentence go to a row of their own, which is cut off.
        index = current.sentence_of_token[:, None].expand_as(hidden)
        rows = hidden.new_zeros(len(current.lengths) + 1, hidden.shape[-1])
        return rows.scatter_reduce(0, index, hidden, "amax", include_self=False)[:-1]
    sums = hidden.new_zeros(len(current.lengths) + 1, hidden.shape[-1])
    return sums.index_add(0, current.sentence_of_token, hidden)[:-1] / current.counts
