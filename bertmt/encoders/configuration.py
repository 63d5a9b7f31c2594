"""What an encoder's config.json says of a BERT, checked; no torch, so that it can run before a run is queued.

The model is built from what is returned here and from nothing else, so that no other key of the file can matter.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertmt.bounded_files import read_json
from bertmt.errors import reason_of

CONFIGURATION_NAME = "config.json"
# What transformers' BertConfig takes where a config.json does not say; None: it must say.
SIZES = {
    "hidden_size": None,
    "num_hidden_layers": None,
    "max_position_embeddings": None,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "vocab_size": 30522,
    "type_vocab_size": 2,
}
# Below one, so that something is left.
PROBABILITIES = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
ACTIVATIONS = (
    "gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "leaky_relu", "linear", "mish",
    "quick_gelu", "relu", "relu6", "sigmoid", "silu", "swish", "tanh",
)  # fmt: skip


def read_configuration(folder: Path) -> dict[str, Any]:
    """The keyword arguments of transformers' BertConfig.

    Raises:
        ValueError: it is no config.json of a BERT that can work; in words that end a sentence.
    """
    document = _document(folder)
    if document.get("model_type") != "bert":
        raise ValueError(f"its model_type must be 'bert', but is {_shown(document.get('model_type'))}")
    if "auto_map" in document:
        raise ValueError("its config.json asks to run code of its own (`auto_map`), which is never done")
    if document.get("position_embedding_type", "absolute") != "absolute" or document.get("is_decoder"):
        raise ValueError("it is a BERT with relative positions or a decoder, which transformers would misread")
    found: dict[str, Any] = {key: _size(document, key, default) for key, default in SIZES.items()}
    if found["hidden_size"] % found["num_attention_heads"]:
        raise ValueError(
            f"its hidden_size, {found['hidden_size']}, is no multiple of num_attention_heads, "
            f"{found['num_attention_heads']}"
        )
    found |= {key: _number(document, key, default, 0) for key, default in PROBABILITIES.items()}
    found["layer_norm_eps"] = _number(document, "layer_norm_eps", 1e-12, 1e-30)
    found["hidden_act"] = document.get("hidden_act", "gelu")
    if found["hidden_act"] not in ACTIVATIONS:
        raise ValueError(f"its hidden_act, {_shown(found['hidden_act'])}, is none of {', '.join(ACTIVATIONS)}")
    found["pad_token_id"] = document.get("pad_token_id", 0)
    if found["pad_token_id"] is not None and not _is_whole(found["pad_token_id"], 0, found["vocab_size"] - 1):
        raise ValueError(f"its pad_token_id, {_shown(found['pad_token_id'])}, is no word piece of its vocab_size")
    return found


def _document(folder: Path) -> Mapping[str, Any]:
    try:
        document = read_json(folder / CONFIGURATION_NAME)
    except FileNotFoundError:
        raise ValueError("it has no config.json") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise ValueError(f"its config.json cannot be read ({reason_of(problem)})") from None
    if not isinstance(document, dict):
        raise ValueError("its config.json is no JSON object")
    return document


def _size(document: Mapping[str, Any], key: str, default: int | None) -> int:
    size = document.get(key, default)
    if not _is_whole(size, 1, 1 << 31):
        raise ValueError(f"`{key}` in its config.json must be a whole number above 0, but is {_shown(size)}")
    return int(size)


def _number(document: Mapping[str, Any], key: str, default: float, least: float) -> float:
    number = document.get(key, default)
    if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number < 1:
        raise ValueError(
            f"`{key}` in its config.json must be a number from {least:g} to below 1, but is {_shown(number)}"
        )
    return float(number)


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _shown(value: object) -> str:
    """A value from a file as a message may quote it."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
