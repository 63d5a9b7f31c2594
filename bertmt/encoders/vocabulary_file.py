"""An encoder's word pieces: tokenizer.json, or vocab.txt and what tokenizer_config.json says; no torch."""

from pathlib import Path

import tokenizers

from bertmt.bounded_files import MOST_JSON, read_json, read_text
from bertmt.encoders.vocabulary import END, PAD, START, read_vocabulary, word_pieces
from bertmt.errors import EncoderError, reason_of

LIBRARY_NAME, LIST_NAME, CASE_NAME = "tokenizer.json", "vocab.txt", "tokenizer_config.json"


def vocabulary_files(folder: Path) -> list[Path]:
    """The files that the word pieces are read from; none where the folder has no vocabulary."""
    if (folder / LIBRARY_NAME).is_file():
        return [folder / LIBRARY_NAME]
    if (folder / LIST_NAME).is_file():
        return [folder / LIST_NAME, *(each for each in [folder / CASE_NAME] if each.is_file())]
    return []


def folder_backend(folder: Path) -> tokenizers.Tokenizer:
    """What splits sentences into the encoder's word pieces.

    Raises:
        EncoderError: its vocabulary is missing or damaged.
    """
    if (folder / LIBRARY_NAME).is_file():
        return read_backend(folder / LIBRARY_NAME)
    return word_pieces(read_vocabulary(folder / LIST_NAME), _lowercase(folder))


def read_backend(file: Path) -> tokenizers.Tokenizer:
    """A tokenizer.json.

    Raises:
        EncoderError: it is missing or damaged.
    """
    try:
        return tokenizers.Tokenizer.from_str(read_text(file, MOST_JSON))
    except Exception as problem:  # the library raises bare Exception for a document that it does not understand
        raise EncoderError(f"The tokenizer {file} cannot be read: {reason_of(problem)}.") from None


def check_vocabulary(folder: Path, size: int) -> None:
    """Return if the encoder has a vocabulary whose word pieces all have an embedding.

    Args:
        size: how many embeddings there are.

    Raises:
        EncoderError: it cannot be read.
        ValueError: it does not fit; in words that end a sentence.
    """
    if not vocabulary_files(folder):
        raise ValueError(f"it holds neither {LIBRARY_NAME} nor {LIST_NAME}")
    ids = folder_backend(folder).get_vocab(with_added_tokens=True)
    lacking = [token for token in (PAD, START, END) if token not in ids]
    if lacking:
        raise ValueError(f"its vocabulary lacks {', '.join(lacking)}, which every BERT has")
    if max(ids.values()) >= size:
        raise ValueError(f"its vocabulary has a word piece of number {max(ids.values())}, but its vocab_size is {size}")


def _lowercase(folder: Path) -> bool:
    """Whether a vocab.txt is an uncased one; BERT's are, unless tokenizer_config.json says otherwise."""
    try:
        return bool(read_json(folder / CASE_NAME)["do_lower_case"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True
