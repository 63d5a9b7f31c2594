"""An encoder's word pieces: tokenizer.json, or the files that came before it and what tokenizer_config.json says; no
torch."""

import json
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors

from bertmt.bounded_files import MOST_JSON, read_json, read_text
from bertmt.encoders.families import BERT, BYTES_NAME, LIBRARY_NAME, LIST_NAME, MERGES_NAME, Family
from bertmt.encoders.special_tokens import special_tokens
from bertmt.encoders.tokenizer_document import check_document
from bertmt.encoders.vocabulary import read_vocabulary, word_pieces
from bertmt.errors import EncoderError, reason_of

SETTINGS_NAME = "tokenizer_config.json"


def vocabulary_files(folder: Path, family: Family = BERT) -> list[Path]:
    """The files that the word pieces are read from; none where the folder has no vocabulary."""
    for names in family.vocabularies:
        if all((folder / name).is_file() for name in names):
            settings = [] if names == (LIBRARY_NAME,) else [folder / SETTINGS_NAME]
            return [folder / name for name in names] + [each for each in settings if each.is_file()]
    return []


def folder_backend(folder: Path, family: Family = BERT) -> tokenizers.Tokenizer:
    """What splits sentences into the encoder's word pieces.

    Raises:
        EncoderError: its vocabulary is missing or damaged.
    """
    names = {each.name for each in vocabulary_files(folder, family)}
    if LIBRARY_NAME in names:
        return read_backend(folder / LIBRARY_NAME)
    if MERGES_NAME in names:
        return _byte_pairs(folder, family)
    return word_pieces(read_vocabulary(folder / LIST_NAME), _setting(folder, "do_lower_case", True))


def read_backend(file: Path) -> tokenizers.Tokenizer:
    """A tokenizer.json.

    Raises:
        EncoderError: it is missing or damaged, or asks for what could hang or break the library.
    """
    try:
        text = read_text(file, MOST_JSON)
        check_document(json.loads(text))
        return tokenizers.Tokenizer.from_str(text)
    except BaseException as problem:  # bare Exception, or a panic, for a document that it does not understand
        refuse_interrupts(problem)
        raise EncoderError(f"The tokenizer {file} cannot be read: {reason_of(problem)}.") from None


def refuse_interrupts(problem: BaseException) -> None:
    """Return for what the library of tokenizers may raise of a file; a panic of its Rust is no Exception.

    Raises:
        BaseException: it is somebody's Ctrl+C, or the like.
    """
    if not isinstance(problem, Exception) and type(problem).__name__ != "PanicException":
        raise problem


def check_vocabulary(folder: Path, family: Family, size: int) -> None:
    """Return if the encoder has a vocabulary whose word pieces all have an embedding.

    Args:
        size: how many embeddings there are.

    Raises:
        EncoderError: it cannot be read.
        ValueError: it does not fit; in words that end a sentence.
    """
    if not vocabulary_files(folder, family):
        choices = [" and ".join(names) for names in family.vocabularies]
        raise ValueError(
            f"it holds neither {' nor '.join(choices)}" if len(choices) > 1 else f"it holds no {choices[0]}"
        )
    backend = folder_backend(folder, family)
    special_tokens(backend, family)
    most = max(backend.get_vocab(with_added_tokens=True).values())
    if most >= size:
        raise ValueError(f"its vocabulary has a word piece of number {most}, but its vocab_size is {size}")


def _byte_pairs(folder: Path, family: Family) -> tokenizers.Tokenizer:
    """RoBERTa's tokenizer before there was tokenizer.json: pieces of bytes, joined in the order of merges.txt."""
    try:
        ids = read_json(folder / BYTES_NAME)
        lines = read_text(folder / MERGES_NAME, MOST_JSON).split("\n")
        merges = [_pair(line) for line in lines if line and not line.startswith("#version")]
        if not isinstance(ids, dict) or not all(_is_number(each) for each in ids.values()):
            raise ValueError(f"{BYTES_NAME} must map each piece to its number")
        backend = tokenizers.Tokenizer(models.BPE(vocab=ids, merges=merges))
        spaced = _setting(folder, "add_prefix_space", False)
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
        backend.decoder = decoders.ByteLevel()
        start, end = ((name, ids[name]) for name in (family.start, family.end))
        backend.post_processor = processors.RobertaProcessing(end, start, add_prefix_space=spaced)
        known = (family.start, family.pad, family.end, "<unk>", "<mask>")
        backend.add_special_tokens([name for name in known if name in ids])
    except KeyError as lacking:
        raise EncoderError(f"The vocabulary {folder / BYTES_NAME} lacks {lacking.args[0]}.") from None
    except BaseException as problem:  # as in `read_backend`
        refuse_interrupts(problem)
        raise EncoderError(
            f"The vocabulary {folder / BYTES_NAME} and {MERGES_NAME} cannot be read: {reason_of(problem)}."
        ) from None
    return backend


def _pair(line: str) -> tuple[str, str]:
    first, _, second = line.partition(" ")
    if not first or not second or " " in second:
        raise ValueError(f"a line of {MERGES_NAME} must be two pieces, but is {ascii(line)[:60]}")
    return first, second


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31


def _setting(folder: Path, key: str, default: bool) -> bool:
    """A switch of tokenizer_config.json. BERT's vocab.txt is an uncased one unless that says otherwise."""
    try:
        return bool(read_json(folder / SETTINGS_NAME)[key])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return default
