"""Masked-language modelling: which tokens are hidden, and the head that guesses them.

Source: Devlin et al. 2019, "BERT", section 3.1 and appendix A.1.
"""

import safetensors
import torch
from jaxtyping import Bool, Float32, Int64
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from bertmt.encoders.families import FAMILIES
from bertmt.encoders.find import find_encoder
from bertmt.encoders.weights import WEIGHTS_NAME
from bertmt.errors import EncoderError
from bertmt.models.seeding import seeded
from bertmt.models.tokenizing import Tokenizer

# Of what is to be guessed a tenth stays, a tenth becomes another token, and the rest is hidden.
MASKED, KEPT, EXCHANGED = 0.15, 0.1, 0.1
NOTHING = -1  # where no token is to be guessed


def hide(
    ids: Int64[Tensor, "*shape"],
    asked: Bool[Tensor, "*shape"],
    kind: Float32[Tensor, "*shape"],
    others: Int64[Tensor, "*shape"],
    mask: int,
) -> tuple[Int64[Tensor, "*shape"], Int64[Tensor, "*shape"]]:
    """Ids as the encoder reads them, and what stood there; `NOTHING` where nothing is asked.

    Args:
        asked: which tokens are to be guessed.
        kind: from 0 to 1, evenly: what becomes of such a token.
        others: a token drawn at random for each place.
        mask: the id of the token that hides others.
    """
    changed = torch.where(kind < EXCHANGED, others, torch.where(kind < EXCHANGED + KEPT, ids, mask))
    return torch.where(asked, changed, ids), torch.where(asked, ids, NOTHING)


def mask_id(tokenizer: Tokenizer, encoder: str) -> int:
    """The id of the token that hides others.

    Raises:
        EncoderError: the tokenizer has none.
    """
    found = tokenizer.backend.token_to_id(tokenizer.family.mask)
    if found is None:
        name = tokenizer.family.mask
        raise EncoderError(f"The vocabulary of {encoder!r} has no {name}, which mlm_epochs needs: set mlm_epochs=0.")
    return int(found)


class GuessingHead(nn.Module):
    """From hidden states to a logit per word piece: a layer with GELU and a norm, then the words' own embeddings.

    Args:
        words: the encoder's table of word embeddings; the head's last map is that very table, as in BERT.
        epsilon: of the norm.
    """

    def __init__(self, words: nn.Parameter, epsilon: float):
        super().__init__()
        rows, width = words.shape
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=epsilon)
        self.bias = nn.Parameter(torch.zeros(rows))
        self._words = [words]  # in a list: it is the encoder's parameter, not a second one

    def forward(self, hidden: Float32[Tensor, "real hidden"]) -> Float32[Tensor, "real words"]:
        """Logits of all word pieces."""
        found = self.norm(functional.gelu(self.dense(hidden)))
        return functional.linear(found, self._words[0], self.bias)


def build_guessing_head(encoder: PreTrainedModel, name: str, seed: int) -> GuessingHead:
    """The head with which the encoder was pretrained, where its file has it; else a fresh one from the seed.

    Args:
        encoder: loaded.
        name: as the recipe calls it.
    """
    config = encoder.config
    epsilon = getattr(config, "layer_norm_eps", getattr(config, "norm_eps", 1e-12))
    with seeded(seed, "guessing"):
        head = GuessingHead(encoder.get_input_embeddings().weight, epsilon)
        nn.init.normal_(head.dense.weight, std=0.02)  # as BERT's layers
        nn.init.zeros_(head.dense.bias)
    stored = _stored_head(name, FAMILIES[config.model_type].guessing)
    shapes = {each: value.shape for each, value in head.state_dict().items()}
    if {"dense.weight", "norm.weight"} <= stored.keys() and all(stored[each].shape == shapes[each] for each in stored):
        head.load_state_dict(stored, strict=False)
    return head


def _stored_head(name: str, places: tuple[str, str, str]) -> dict[str, Tensor]:
    """What the encoder's file has of a head."""
    dense, norm, bias = places
    # The oldest files call a norm's weight gamma and its bias beta.
    wanted = {
        f"{dense}.weight": "dense.weight", f"{dense}.bias": "dense.bias", bias: "bias",
        f"{norm}.weight": "norm.weight", f"{norm}.gamma": "norm.weight",
        f"{norm}.bias": "norm.bias", f"{norm}.beta": "norm.bias",
    }  # fmt: skip
    try:
        with safetensors.safe_open(find_encoder(name).folder / WEIGHTS_NAME, framework="pt") as file:
            return {wanted[key]: file.get_tensor(key).float() for key in file.keys() if key in wanted}  # noqa: SIM118
    except (OSError, SafetensorError):
        return {}
