"""WordPiece vocabularies: splitting by one, and reading a vocab.txt; no torch."""

from collections.abc import Sequence
from pathlib import Path

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from bertmt.bounded_files import MOST_JSON, read_text
from bertmt.errors import EncoderError, reason_of

PAD, UNKNOWN, START, END, MASK = SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUING = "##"


def word_pieces(tokens: Sequence[str], lowercase: bool = True) -> tokenizers.Tokenizer:
    """BERT's uncased tokenizer (clean, lower-case, strip accents, split, longest match) with these word pieces."""
    ids = {token: index for index, token in enumerate(tokens)}
    tokenizer = tokenizers.Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN, continuing_subword_prefix=CONTINUING))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def whole_characters(text: str) -> str:
    """`text` without lone surrogates (JSON can carry them), which UTF-8 and so the library cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def read_vocabulary(path: Path) -> list[str]:
    """A BERT's vocab.txt: a word piece per line, whose number from 0 is its id.

    Raises:
        EncoderError: the file is missing, no UTF-8, repeats a word piece, or lacks one of the special tokens.
    """
    try:
        # Not splitlines(): only a line feed ends a word piece.
        tokens = read_text(path, MOST_JSON).removesuffix("\n").split("\n")
    except (OSError, ValueError) as problem:
        raise EncoderError(f"The vocabulary {path} cannot be read: {reason_of(problem)}.") from None
    missing = [token for token in SPECIAL_TOKENS if token not in tokens]
    if missing or len(set(tokens)) < len(tokens):
        fault = f"lacks {', '.join(missing)}" if missing else "names a word piece twice"
        raise EncoderError(f"{path} is no BERT vocabulary: it {fault}; expected one word piece per line.")
    return tokens
