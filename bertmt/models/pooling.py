"""From the encoder's last hidden states to one embedding per sentence."""

from typing import Literal

from jaxtyping import Float32, Int64
from torch import Tensor

Pooling = Literal["mean", "cls"]


def pool(
    hidden: Float32[Tensor, "rows tokens hidden"], attention_mask: Int64[Tensor, "rows tokens"], pooling: Pooling
) -> Float32[Tensor, "rows hidden"]:
    """One embedding per sentence.

    Args:
        hidden: last hidden states.
        attention_mask: 1 on tokens, 0 on padding. [CLS] and [SEP] are tokens.
        pooling: "mean" over the tokens, for the tasks (section 4.1), or "cls", the last hidden state at position
            0, for the cosine embedding loss (section 4.3); decision 2. BERT's pooler is not built.
    """
    if pooling == "cls":
        return hidden[:, 0]
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
