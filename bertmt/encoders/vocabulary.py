"""The WordPiece vocabulary of the encoder `tiny`, trained on the sentences of a run; no torch."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from bertmt import atomic_files
from bertmt.bounded_files import MOST_JSON, read_text
from bertmt.errors import EncoderError, reason_of

PAD, UNKNOWN, START, END, MASK = SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUING = "##"
DEFAULT_SIZE = 2_000
ALPHABET_SIZE = 256


def word_pieces(tokens: Sequence[str], lowercase: bool = True) -> tokenizers.Tokenizer:
    """BERT's uncased tokenizer (clean, lower-case, strip accents, split, longest match) with these word pieces."""
    ids = {token: index for index, token in enumerate(tokens)}
    tokenizer = tokenizers.Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN, continuing_subword_prefix=CONTINUING))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def train_vocabulary(sentences: Iterable[str], size: int = DEFAULT_SIZE) -> list[str]:
    """Word pieces learned from sentences, the same ones in every process and for every order of the sentences.

    The library's trainer breaks ties between equally frequent pairs by the ids of their parts, and it numbers
    continuing characters (`##a`) in the order of a hash map that is seeded anew in each process. Given the sorted
    alphabet in front, continuing characters included, all ids are fixed.

    Args:
        size: how many word pieces at most, special tokens and alphabet included. The alphabet alone is kept whole:
            the 256 most frequent characters, and their continuing forms; words with others become [UNK].
    """
    texts = [whole_characters(sentence) for sentence in sentences]
    tokenizer = word_pieces(SPECIAL_TOKENS)
    beginning, continuing = _characters(tokenizer, texts)
    counts = beginning + continuing
    kept = sorted(sorted(counts, key=lambda character: (-counts[character], character))[:ALPHABET_SIZE])
    alphabet = [*kept, *(CONTINUING + character for character in kept if character in continuing)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[*SPECIAL_TOKENS, *alphabet],
        limit_alphabet=len(kept),
        initial_alphabet=kept,
        continuing_subword_prefix=CONTINUING,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    ids = tokenizer.get_vocab(with_added_tokens=False)
    return sorted(ids, key=lambda token: ids[token])


def _characters(tokenizer: tokenizers.Tokenizer, texts: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each character begins a word, and continues one."""
    beginning: Counter[str] = Counter()
    continuing: Counter[str] = Counter()
    for text in texts:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)):
            beginning[word[0]] += 1
            continuing.update(word[1:])
    return beginning, continuing


def whole_characters(text: str) -> str:
    """`text` without lone surrogates (JSON can carry them), which UTF-8 and so the library cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def write_vocabulary(path: Path, tokens: Sequence[str]) -> None:
    """One word piece per line; the line's number from 0 is its id."""
    atomic_files.write_text(path, "".join(f"{token}\n" for token in tokens))


def read_vocabulary(path: Path) -> list[str]:
    """What `write_vocabulary` wrote, or any BERT's vocab.txt.

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
