"""What stands around a sentence: told by the tokenizer, or else by the encoder's family; no torch."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tokenizers

from bertmt.encoders.families import Family


@dataclass(frozen=True)
class SpecialTokens:
    """Ids of the tokens before a sentence, behind it, and where a batch is wider than it."""

    start: int
    end: int
    pad: int


def special_tokens(backend: tokenizers.Tokenizer, family: Family) -> SpecialTokens:
    """The special tokens of a tokenizer.

    Raises:
        ValueError: it has none; in words that end a sentence.
    """
    start, end = _around(backend) or (family.start, family.end)
    # Padding is masked: where a tokenizer with tokens of its own calls it by another name, any token does.
    padding = family.pad if backend.token_to_id(family.pad) is not None or start == family.start else end
    numbers = {name: backend.token_to_id(name) for name in (padding, start, end)}
    lacking = [name for name, number in numbers.items() if number is None]
    if lacking:
        raise ValueError(f"its vocabulary lacks {', '.join(lacking)}, which every {family.model_type} has")
    found = {name: number for name, number in numbers.items() if number is not None}
    return SpecialTokens(found[start], found[end], found[padding])


def _around(backend: tokenizers.Tokenizer) -> tuple[str, str] | None:
    """The names of the two tokens that the tokenizer's own last stage puts around a text; None where it has no such."""
    if backend.post_processor is None:
        return None
    # Read, not run: the library panics where a template names what is not there.
    names = list(_named(json.loads(backend.post_processor.__getstate__())))
    found = [name for name in names if backend.token_to_id(name) is not None]
    return (found[0], found[1]) if len(names) == len(found) == 2 else None


def _named(stage: dict[str, Any]) -> Iterator[str]:
    if stage["type"] == "Sequence":
        for each in stage["processors"]:
            yield from _named(each)
    elif stage["type"] == "TemplateProcessing":
        yield from (piece["SpecialToken"]["id"] for piece in stage["single"] if "SpecialToken" in piece)
    elif stage["type"] in ("BertProcessing", "RobertaProcessing"):
        yield from (stage["cls"][0], stage["sep"][0])
