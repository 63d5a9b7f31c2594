"""The weights of each family of encoders, by transformers' names, without poolers; a linear layer's are (to, from)."""

from collections.abc import Iterator, Mapping
from typing import Any

Shape = tuple[str, tuple[int, ...]]


def bert_shapes(configuration: Mapping[str, Any]) -> Iterator[Shape]:
    """Of BertModel, and of RobertaModel, which has the same."""
    width, inner = configuration["hidden_size"], configuration["intermediate_size"]
    embeddings = {"word": "vocab_size", "position": "max_position_embeddings", "token_type": "type_vocab_size"}
    for name, key in embeddings.items():
        yield f"embeddings.{name}_embeddings.weight", (configuration[key], width)
    yield from _norm("embeddings.LayerNorm", width)
    for index in range(configuration["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            yield from _linear(f"{layer}.attention.{name}", width, width)
        yield from _norm(f"{layer}.attention.output.LayerNorm", width)
        yield from _linear(f"{layer}.intermediate.dense", inner, width)
        yield from _linear(f"{layer}.output.dense", width, inner)
        yield from _norm(f"{layer}.output.LayerNorm", width)


def distilbert_shapes(configuration: Mapping[str, Any]) -> Iterator[Shape]:
    """Of DistilBertModel: BERT's without token types."""
    width, inner = configuration["dim"], configuration["hidden_dim"]
    for name, key in {"word": "vocab_size", "position": "max_position_embeddings"}.items():
        yield f"embeddings.{name}_embeddings.weight", (configuration[key], width)
    yield from _norm("embeddings.LayerNorm", width)
    for index in range(configuration["n_layers"]):
        layer = f"transformer.layer.{index}"
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            yield from _linear(f"{layer}.attention.{name}", width, width)
        yield from _norm(f"{layer}.sa_layer_norm", width)
        yield from _linear(f"{layer}.ffn.lin1", inner, width)
        yield from _linear(f"{layer}.ffn.lin2", width, inner)
        yield from _norm(f"{layer}.output_layer_norm", width)


def modernbert_shapes(configuration: Mapping[str, Any]) -> Iterator[Shape]:
    """Of ModernBertModel: rotary positions have no weights, query, key and value are one layer, biases are optional,
    and the first layer reads embeddings that are normed already."""
    width, inner = configuration["hidden_size"], configuration["intermediate_size"]
    norm, attention, mlp = (configuration[f"{part}_bias"] for part in ("norm", "attention", "mlp"))
    yield "embeddings.tok_embeddings.weight", (configuration["vocab_size"], width)
    yield from _norm("embeddings.norm", width, norm)
    for index in range(configuration["num_hidden_layers"]):
        layer = f"layers.{index}"
        if index:
            yield from _norm(f"{layer}.attn_norm", width, norm)
        yield from _linear(f"{layer}.attn.Wqkv", 3 * width, width, attention)
        yield from _linear(f"{layer}.attn.Wo", width, width, attention)
        yield from _norm(f"{layer}.mlp_norm", width, norm)
        yield from _linear(f"{layer}.mlp.Wi", 2 * inner, width, mlp)  # values and their gates
        yield from _linear(f"{layer}.mlp.Wo", width, inner, mlp)
    yield from _norm("final_norm", width, norm)


def _linear(name: str, to: int, from_: int, bias: bool = True) -> Iterator[Shape]:
    yield f"{name}.weight", (to, from_)
    if bias:
        yield f"{name}.bias", (to,)


def _norm(name: str, width: int, bias: bool = True) -> Iterator[Shape]:
    yield f"{name}.weight", (width,)
    if bias:
        yield f"{name}.bias", (width,)
