"""From the encoder's last hidden states to one embedding per sentence."""

from typing import Literal

from torch import Tensor

Pooling = Literal["mean", "cls"]


def pool(hidden: Tensor, attention_mask: Tensor, pooling: Pooling) -> Tensor:
    """One embedding per sentence.

    Args:
        hidden: last hidden states, (b, n, m), fp32.
        attention_mask: 1 on tokens, 0 on padding, (b, n). [CLS] and [SEP] are tokens.
        pooling: "mean" over the tokens, for the tasks (section 4.1), or "cls", the last hidden state at position
            0, for the cosine embedding loss (section 4.3); decision 2. BERT's pooler is not built.

    Shapes: returns (b, m).
    """
    if pooling == "cls":
        return hidden[:, 0]
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
