"""What an encoder's config.json says, checked; no torch, so that it can run before a run is queued.

The model is built from what is returned here and from nothing else, so that no other key of the file can matter.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertmt.bounded_files import read_json
from bertmt.encoders.families import FAMILIES, Family
from bertmt.errors import reason_of

CONFIGURATION_NAME = "config.json"
ACTIVATIONS = (
    "gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "leaky_relu", "linear", "mish",
    "quick_gelu", "relu", "relu6", "sigmoid", "silu", "swish", "tanh",
)  # fmt: skip
LAYER_TYPES = ("full_attention", "sliding_attention")
# Where a config.json does not say: every third layer of a ModernBERT sees all tokens, and its angles turn so fast.
EVERY_FULL = 3
ROPE_THETA = {"full_attention": ("global_rope_theta", 160_000.0), "sliding_attention": ("local_rope_theta", 10_000.0)}


def read_configuration(folder: Path) -> tuple[Family, dict[str, Any]]:
    """An encoder's family, and the keyword arguments of transformers' configuration for it.

    Raises:
        ValueError: it is no config.json of an encoder that can work; in words that end a sentence.
    """
    document = _document(folder)
    named = document.get("model_type")
    family = FAMILIES.get(named) if isinstance(named, str) else None
    if family is None:
        raise ValueError(f"its model_type must be one of {', '.join(FAMILIES)}, but is {_shown(named)}")
    if "auto_map" in document:
        raise ValueError("its config.json asks to run code of its own (`auto_map`), which is never done")
    if document.get("position_embedding_type", "absolute") != "absolute" or document.get("is_decoder"):
        raise ValueError("it is an encoder with relative positions or a decoder, which transformers would misread")
    found: dict[str, Any] = {key: _size(document, key, default) for key, default in family.sizes.items()}
    if found[family.width] % found[family.heads]:
        raise ValueError(
            f"its {family.width}, {found[family.width]}, is no multiple of {family.heads}, {found[family.heads]}"
        )
    found |= {key: _number(document, key, default, 0) for key, default in family.probabilities.items()}
    found |= {key: _number(document, key, default, 1e-30) for key, default in family.epsilons.items()}
    found |= {key: _switch(document, key, default) for key, default in family.switches.items()}
    act = found[family.activation] = document.get(family.activation, "gelu")
    if act not in ACTIVATIONS:
        raise ValueError(f"its {family.activation}, {_shown(act)}, is none of {', '.join(ACTIVATIONS)}")
    found["pad_token_id"] = _padding(document, family, found["vocab_size"])
    if family.positions(found) < 1:
        raise ValueError(f"its max_position_embeddings, {found['max_position_embeddings']}, leaves no token a position")
    return family, found | (_rotary(document, family, found) if family.rotary else {})


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
    # Below one, so that of what dropout leaves there is something.
    number = document.get(key, default)
    if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number < 1:
        raise ValueError(
            f"`{key}` in its config.json must be a number from {least:g} to below 1, but is {_shown(number)}"
        )
    return float(number)


def _switch(document: Mapping[str, Any], key: str, default: bool) -> bool:
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise ValueError(f"`{key}` in its config.json must be true or false, but is {_shown(value)}")
    return value


def _padding(document: Mapping[str, Any], family: Family, words: int) -> int | None:
    number = document.get("pad_token_id", family.pad_token_id)
    if number is None and not family.counts_positions_behind_padding:
        return None
    if not _is_whole(number, 0, words - 1):
        raise ValueError(f"its pad_token_id, {_shown(number)}, is no word piece of its vocab_size")
    return int(number)


def _rotary(document: Mapping[str, Any], family: Family, found: Mapping[str, Any]) -> dict[str, Any]:
    """Which layers see all tokens and how fast the angles of positions turn, in the keys of today or of 2024."""
    if found[family.width] // found[family.heads] % 2:
        raise ValueError(f"its attention heads have an odd width, {found[family.width] // found[family.heads]}")
    turning = {}
    for kind in LAYER_TYPES:
        theta = _theta(document, kind)
        if isinstance(theta, bool) or not isinstance(theta, int | float) or not 1 <= theta <= 1e12:
            raise ValueError(f"the rope_theta of its {kind} must be a number from 1 to 1e12, but is {_shown(theta)}")
        turning[kind] = {"rope_type": "default", "rope_theta": float(theta)}
    kinds = document.get("layer_types")
    if kinds is None:
        every = document.get("global_attn_every_n_layers", EVERY_FULL)
        if not _is_whole(every, 1, 1 << 31):
            raise ValueError(f"`global_attn_every_n_layers` must be a whole number above 0, but is {_shown(every)}")
        return {"rope_parameters": turning, "global_attn_every_n_layers": every}
    if (
        not isinstance(kinds, list)
        or len(kinds) != found[family.layers]
        or any(each not in LAYER_TYPES for each in kinds)
    ):
        raise ValueError(f"its layer_types must name {' or '.join(LAYER_TYPES)} for each of its layers")
    return {"rope_parameters": turning, "layer_types": kinds}


def _theta(document: Mapping[str, Any], kind: str) -> object:
    key, default = ROPE_THETA[kind]
    parameters = document.get("rope_parameters")
    if document.get("rope_scaling") is not None:
        raise ValueError("it stretches its positions (`rope_scaling`), which is not done here")
    if parameters is None:
        return document.get(key, default)
    about = parameters.get(kind, {}) if isinstance(parameters, dict) else None
    if not isinstance(about, dict) or about.get("rope_type", "default") != "default":
        raise ValueError(f"its rope_parameters for {kind} are of another kind than `default`")
    return about.get("rope_theta", default)


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _shown(value: object) -> str:
    """A value from a file as a message may quote it."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
