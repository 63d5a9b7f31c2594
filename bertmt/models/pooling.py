"""From the encoder's last hidden states to one embedding per sentence."""

from typing import Literal

from jaxtyping import Float32
from torch import Tensor

from bertmt.models.packed.layout import Pass

Pooling = Literal["mean", "cls"]


def pool(
    hidden: Float32[Tensor, "tokens hidden"], current: Pass, pooling: Pooling
) -> Float32[Tensor, "sentences hidden"]:
    """One embedding per sentence of a pass.

    Args:
        hidden: last hidden states.
        pooling: "mean" over the tokens, [CLS] and [SEP] among them, for the tasks (section 4.1), or "cls", the last
            hidden state at position 0, for the cosine embedding loss (section 4.3); decision 2. BERT's pooler is not
            built.
    """
    if pooling == "cls":
        return hidden.index_select(0, current.first_tokens)
    sums = hidden.new_zeros(len(current.lengths) + 1, hidden.shape[-1])
    return sums.index_add(0, current.sentence_of_token, hidden)[:-1] / current.counts
