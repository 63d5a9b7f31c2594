"""The families of encoders that can be trained, one record each; no torch.

A further family is a record here, the shapes of its weights in `weight_shapes`, and its tiny configuration in
`tests/fixtures/encoders/encoder_families.py`. What is the same in all of them (attention, how activations are computed
anew, the output called last_hidden_state) stands in `models/`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bertmt.encoders.weight_shapes import Shape, bert_shapes, distilbert_shapes, modernbert_shapes
from bertmt.errors import EncoderError

LIBRARY_NAME, LIST_NAME, BYTES_NAME, MERGES_NAME = "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt"


@dataclass(frozen=True, kw_only=True)
class Family:
    """What differs between encoders of BERT's kind. The model is built from the keys named here, and from no other.

    Attributes:
        model_type: as config.json and transformers call it.
        width, layers, heads, inner: the keys of config.json for the width of embeddings, the number of layers and of
            attention heads, and the width of the feed-forward network.
        sizes: keys that are whole numbers above 0, with what transformers takes where a config.json does not say;
            None: it must say.
        probabilities: keys from 0 to below 1.
        epsilons: keys above 0 and below 1.
        switches: keys that are true or false.
        activation: the key of the activation function.
        pad_token_id: transformers' own.
        counts_positions_behind_padding: the first token stands at position pad_token_id + 1, so that the longest
            sentence is that much shorter than max_position_embeddings.
        rotary: positions are angles, each layer sees all tokens or its neighbours.
        has_pooler: transformers' class has one, which is left out.
        prefix: in front of the names of weights that were saved with a task's or pretraining's head.
        shapes: the weights that must be there; a head's and a pooler's may be, and are left alone.
        start, end, pad: special tokens where the tokenizer does not say itself what stands around a sentence.
        mask: the token that hides others where words are guessed.
        guessing: what a layer, a norm and a bias are called in the head with which encoders are pretrained so.
        vocabularies: the files of a vocabulary, in the order in which they are looked for.
        ends_between: how many of the end's tokens stand between the two sentences of one input.
        lora_targets: `lora.targets` to the ends of the names of linear layers; one that is lacking has none here.
    """

    model_type: str
    width: str = "hidden_size"
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    inner: str = "intermediate_size"
    sizes: Mapping[str, int | None]
    probabilities: Mapping[str, float]
    epsilons: Mapping[str, float]
    switches: Mapping[str, bool] = field(default_factory=dict)
    activation: str = "hidden_act"
    pad_token_id: int
    counts_positions_behind_padding: bool = False
    rotary: bool = False
    has_pooler: bool = False
    prefix: str
    shapes: Callable[[Mapping[str, Any]], Iterable[Shape]]
    start: str = "[CLS]"
    end: str = "[SEP]"
    pad: str = "[PAD]"
    mask: str = "[MASK]"
    guessing: tuple[str, str, str] = (
        "cls.predictions.transform.dense",
        "cls.predictions.transform.LayerNorm",
        "cls.predictions.bias",
    )
    vocabularies: tuple[tuple[str, ...], ...]
    lora_targets: Mapping[str, tuple[str, ...]]
    ends_between: int = 1

    def positions(self, configuration: Mapping[str, Any]) -> int:
        """The longest sentence that an encoder can read, in tokens."""
        before = configuration["pad_token_id"] + 1 if self.counts_positions_behind_padding else 0
        return int(configuration["max_position_embeddings"]) - before

    def targets(self, choice: str) -> tuple[str, ...]:
        """The ends of the names of the layers that LoRA adapts.

        Args:
            choice: `lora.targets` of a recipe.

        Raises:
            EncoderError: this family has no such layers.
        """
        if choice not in self.lora_targets:
            raise EncoderError(
                f"`lora.targets` is {choice}, but query, key and value of a {self.model_type} are one layer: use --set "
                f"lora.targets={' or '.join(self.lora_targets)}."
            )
        return self.lora_targets[choice]


_BERT_SIZES = {
    "hidden_size": None,
    "num_hidden_layers": None,
    "max_position_embeddings": None,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "vocab_size": 30522,
    "type_vocab_size": 2,
}
_BERT_DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
_BERT_TARGETS = {
    "all-linear": ("query", "key", "value", "dense"),
    "attention": ("query", "key", "value", "attention.output.dense"),
    "query-value": ("query", "value"),
}

BERT = Family(
    model_type="bert",
    sizes=_BERT_SIZES,
    probabilities=_BERT_DROPOUT,
    epsilons={"layer_norm_eps": 1e-12},
    pad_token_id=0,
    has_pooler=True,
    prefix="bert.",
    shapes=bert_shapes,
    vocabularies=((LIBRARY_NAME,), (LIST_NAME,)),
    lora_targets=_BERT_TARGETS,
)
DISTILBERT = Family(
    model_type="distilbert",
    width="dim",
    layers="n_layers",
    heads="n_heads",
    inner="hidden_dim",
    sizes={
        "dim": None, "n_layers": None, "max_position_embeddings": None, "n_heads": 12, "hidden_dim": 3072,
        "vocab_size": 30522,
    },
    probabilities={"dropout": 0.1, "attention_dropout": 0.1},
    epsilons={},
    activation="activation",
    pad_token_id=0,
    prefix="distilbert.",
    guessing=("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"),
    shapes=distilbert_shapes,
    vocabularies=((LIBRARY_NAME,), (LIST_NAME,)),
    lora_targets={
        "all-linear": ("q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"),
        "attention": ("q_lin", "k_lin", "v_lin", "out_lin"),
        "query-value": ("q_lin", "v_lin"),
    },
)  # fmt: skip
ROBERTA = Family(
    model_type="roberta",
    sizes=_BERT_SIZES | {"vocab_size": 50265},
    probabilities=_BERT_DROPOUT,
    epsilons={"layer_norm_eps": 1e-12},
    pad_token_id=1,
    counts_positions_behind_padding=True,
    has_pooler=True,
    prefix="roberta.",
    shapes=bert_shapes,
    start="<s>",
    end="</s>",
    pad="<pad>",
    mask="<mask>",
    guessing=("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
    vocabularies=((LIBRARY_NAME,), (BYTES_NAME, MERGES_NAME)),
    lora_targets=_BERT_TARGETS,
    ends_between=2,
)
MODERNBERT = Family(
    model_type="modernbert",
    sizes={
        "hidden_size": None, "num_hidden_layers": None, "max_position_embeddings": 8192, "num_attention_heads": 12,
        "intermediate_size": 1152, "vocab_size": 50368, "local_attention": 128,
    },
    probabilities={"attention_dropout": 0.0, "embedding_dropout": 0.0, "mlp_dropout": 0.0},
    epsilons={"norm_eps": 1e-5},
    switches={"norm_bias": False, "attention_bias": False, "mlp_bias": False},
    activation="hidden_activation",
    pad_token_id=50283,
    rotary=True,
    prefix="model.",
    guessing=("head.dense", "head.norm", "decoder.bias"),
    shapes=modernbert_shapes,
    vocabularies=((LIBRARY_NAME,),),
    # Query, key and value are one layer: an adapter on two of them alone cannot be had.
    lora_targets={"all-linear": ("Wqkv", "Wo", "Wi"), "attention": ("Wqkv", "attn.Wo")},
)  # fmt: skip
FAMILIES: dict[str, Family] = {each.model_type: each for each in (BERT, DISTILBERT, ROBERTA, MODERNBERT)}
