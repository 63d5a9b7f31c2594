"""Sentences to token ids."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import tokenizers

from bertmt.encoders.families import BERT, Family
from bertmt.encoders.find import find_encoder
from bertmt.encoders.special_tokens import special_tokens
from bertmt.encoders.vocabulary import whole_characters
from bertmt.encoders.vocabulary_file import folder_backend, refuse_interrupts
from bertmt.errors import EncoderError, reason_of


class Tokenizer:
    """Sentences to ids: the start's ([CLS], <s>), at most `max_length` − 2 word pieces, the end's ([SEP], </s>).

    Args:
        backend: splits into word pieces; its own truncation, padding and special tokens are not used.
        max_length: tokens of a sentence at most, start and end included.
        family: of the encoder; says what stands around a sentence where the backend does not.

    Attributes:
        special: the tokens around a sentence, and of padding.

    Raises:
        EncoderError: the backend has no tokens for start, end and padding.
    """

    def __init__(self, backend: tokenizers.Tokenizer, max_length: int, family: Family = BERT):
        # all-MiniLM's tokenizer.json pads every sentence to 128 tokens.
        backend.no_padding()
        backend.enable_truncation(max_length - 2)
        # A sentence in which someone wrote "[SEP]" holds a bracket, not the end of a sentence.
        backend.encode_special_tokens = True
        self.backend = backend
        self.max_length = max_length
        self.family = family
        try:
            self.special = special_tokens(backend, family)
        except ValueError as problem:
            raise EncoderError(f"The encoder's tokenizer cannot be used: {problem}; choose another encoder.") from None

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return int(self.backend.get_vocab_size(with_added_tokens=True))

    @cached_property
    def fingerprint(self) -> bytes:
        """A digest of all that the ids of a sentence depend on, the library's version included."""
        around = f"{tokenizers.__version__} {self.max_length} {self.special.start} {self.special.end}"
        return hashlib.sha256(f"{around}\n{self.backend.to_str()}".encode()).digest()

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """The ids of each sentence; an empty sentence is its start and end.

        Raises:
            EncoderError: the library gives up, over a regular expression or a word piece that is not there.
        """
        try:
            try:
                encodings = self._encodings(sentences)
            except (UnicodeEncodeError, TypeError):  # how the library says that a sentence has a lone surrogate
                encodings = self._encodings([whole_characters(sentence) for sentence in sentences])
        except BaseException as problem:
            refuse_interrupts(problem)
            raise EncoderError(
                f"The encoder's tokenizer failed ({reason_of(problem)}); choose another encoder."
            ) from None
        return [[self.special.start, *encoding.ids, self.special.end] for encoding in encodings]

    def _encodings(self, sentences: Sequence[str]) -> list[tokenizers.Encoding]:
        return list(self.backend.encode_batch_fast(list(sentences), add_special_tokens=False))


def load_tokenizer(name: str, max_length: int) -> Tokenizer:
    """The tokenizer of an encoder, offline.

    Args:
        name: of the encoder.

    Raises:
        EncoderError: the encoder is not at hand, its vocabulary is damaged, or it cannot read `max_length` tokens.
    """
    files = find_encoder(name)
    if max_length > files.positions:
        raise EncoderError(
            f"The encoder {name!r} reads at most {files.positions} tokens, but max_length is {max_length}: "
            f"use --set max_length={files.positions}."
        )
    return Tokenizer(folder_backend(files.folder, files.family), max_length, files.family)
