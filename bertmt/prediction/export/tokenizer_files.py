"""Our tokenizer as the files that transformers reads it from."""

import json

import tokenizers
from tokenizers import processors

from bertmt.encoders.families import Family
from bertmt.errors import EncoderError, reason_of
from bertmt.models.tokenizing import Tokenizer


def tokenizer_files(tokenizer: Tokenizer, family: Family, longest: int) -> dict[str, bytes]:
    """tokenizer.json and tokenizer_config.json, which give the ids that the run was trained on.

    Args:
        longest: tokens of an input at most, special ones included.

    Raises:
        EncoderError: its special tokens have names that the library cannot write down.
    """
    backend = tokenizers.Tokenizer.from_str(tokenizer.backend.to_str())
    backend.no_truncation()
    start, end, pad = (
        str(backend.id_to_token(number))
        for number in (tokenizer.special.start, tokenizer.special.end, tokenizer.special.pad)
    )
    try:
        # Most tokenizers say themselves what stands around a sentence, but one from a vocab.txt has nothing to say.
        backend.post_processor = processors.TemplateProcessing(
            single=[start, "$A", end],
            pair=[start, "$A", *[end] * family.ends_between, "$B:1", f"{end}:1"],
            special_tokens=[(start, tokenizer.special.start), (end, tokenizer.special.end)],
        )
    except Exception as problem:  # the library raises bare ones
        raise EncoderError(f"The tokenizer cannot be written for transformers: {reason_of(problem)}.") from None
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": longest,
        "model_input_names": ["input_ids", "attention_mask"],
        "cls_token": start,
        "sep_token": end,
        "pad_token": pad,
        "padding_side": "right",
        "truncation_side": "right",
        # As in training: a sentence in which someone wrote "[SEP]" holds a bracket.
        "split_special_tokens": True,
        "clean_up_tokenization_spaces": False,
    }
    return {
        "tokenizer.json": backend.to_str(pretty=False).encode(),
        "tokenizer_config.json": json.dumps(settings, indent=1).encode(),
    }
