"""Splits as token ids: each sentence is tokenised once, and its ids are kept for later runs."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from jaxtyping import Bool, Float32, Int64

from bertmt.models.tokenizing import Tokenizer
from bertmt.tasks.examples import Split
from bertmt.training.steps.token_cache import Ids, Lengths, keep_tokens, read_tokens

SENTENCES_AT_ONCE = 8192


class TokenIds(Sequence[list[int]]):
    """Many lists of token ids in one array: a Python list of them takes ten times the memory.

    Args:
        lengths: of the lists.
        ids: of all of them, in a row.
    """

    def __init__(self, lengths: Lengths, ids: Ids):
        self.lengths = lengths
        self._ends = np.concatenate([[0], np.cumsum(lengths)])
        self._ids = ids

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int | np.integer) -> list[int]:  # type: ignore[override]  # no caller slices
        ids: list[int] = self._ids[self._ends[index] : self._ends[index + 1]].tolist()
        return ids

    def key(self, index: int) -> bytes:
        """The bytes of one list, to compare it by."""
        return self._ids[self._ends[index] : self._ends[index + 1]].tobytes()


class TokenisedSplit:
    """A split and its token ids.

    Attributes:
        first, second: token ids in the order of the examples; second is None for single sentences.
        labels: NaN where the split has none.
        lengths: tokens of the longer sentence of each example: what its row of a batch must hold.
    """

    labels: Float32[np.ndarray, "examples"]
    lengths: Int64[np.ndarray, "examples"]

    def __init__(self, split: Split, tokenizer: Tokenizer, before_chunk: Callable[[], None] = lambda: None):
        examples = split.examples
        self.split = split
        self.first = _encode([example.first for example in examples], tokenizer, before_chunk)
        seconds = [example.second for example in examples if example.second is not None]
        self.second = _encode(seconds, tokenizer, before_chunk) if seconds else None
        self.labels = np.array(
            [np.nan if example.label is None else example.label for example in examples], dtype=np.float32
        )
        self.lengths = (
            self.first.lengths if self.second is None else np.maximum(self.first.lengths, self.second.lengths)
        )

    def __len__(self) -> int:
        return len(self.split.examples)

    @property
    def joint_lengths(self) -> Int64[np.ndarray, "examples"]:
        """Tokens of both sentences of each example together."""
        return self.first.lengths + (0 if self.second is None else self.second.lengths)

    def rows(self, mask: Bool[np.ndarray, "examples"] | None = None) -> Int64[np.ndarray, "chosen"]:
        """Row numbers of all examples, or of those that the mask picks."""
        return np.arange(len(self)) if mask is None else np.flatnonzero(mask)

    def sentence_keys(self) -> list[tuple[bytes, bytes]]:
        """Per pair, what is equal where the encoder reads equal sentences."""
        assert self.second is not None
        return [(self.first.key(row), self.second.key(row)) for row in range(len(self))]

    def sentences(
        self, rows: Sequence[int] | Int64[np.ndarray, "batch"]
    ) -> tuple[list[list[int]], list[list[int]] | None]:
        """Token ids of these examples: the first sentences, and the second ones where there are."""
        seconds = None if self.second is None else [self.second[row] for row in rows]
        return [self.first[row] for row in rows], seconds


def _encode(sentences: Sequence[str], tokenizer: Tokenizer, before_chunk: Callable[[], None]) -> TokenIds:
    kept = read_tokens(sentences, tokenizer)
    if kept is not None:
        return TokenIds(*kept)
    encoded: list[list[int]] = []
    for start in range(0, len(sentences), SENTENCES_AT_ONCE):
        before_chunk()
        encoded += tokenizer.encode(sentences[start : start + SENTENCES_AT_ONCE])
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    ids = np.fromiter(chain.from_iterable(encoded), dtype=np.int32, count=int(lengths.sum()))
    keep_tokens(sentences, tokenizer, lengths, ids)
    return TokenIds(lengths, ids)
