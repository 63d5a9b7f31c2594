"""Streams of batches, each a pure function of (seed, stream, pass), with a position that can be carried over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from bertmt.models.packed.layout import TokenBatch
from bertmt.models.seeding import derived_seed
from bertmt.training.steps.tokenised import TokenisedSplit

# Examples of similar length are looked for among so many batches: enough to save the padding, few enough that
# batches still differ from pass to pass.
BATCHES_PER_WINDOW = 50

Rows = Int64[np.ndarray, "batch"]
PassOrder = Callable[[int], list[Rows]]


Sentences = Sequence[Sequence[int]]
Arrangement = Callable[[Sentences, Sentences | None], TokenBatch]


def separate(first: Sentences, second: Sentences | None) -> TokenBatch:
    """The first sentences, then the second ones."""
    return TokenBatch.of([*first, *(second or ())])


@dataclass(frozen=True)
class Batch:
    """Examples as the model reads them.

    Attributes:
        rows: which examples of the split.
        tokens: of pairs the first sentences, then the second ones; or as `MultitaskModel.tokens` has them.
    """

    rows: Rows
    tokens: TokenBatch
    labels: Float32[Tensor, "batch"]

    @property
    def token_count(self) -> int:
        """Tokens of all sentences."""
        return len(self.tokens.input_ids)


class BatchStream:
    """Batches of one split without end, pass after pass.

    The state is the position (`pass_index`, `batch_index`) and nothing else: two streams with equal arguments and
    positions give equal batches.

    Args:
        order: the batches of a pass, as row numbers; a pure function of the pass.
        tokens: first and second sentences as the encoder reads them.

    Attributes:
        batches_per_pass, examples: of the first pass; only MNR's may differ a little in later ones.
    """

    def __init__(self, data: TokenisedSplit, order: PassOrder, device: torch.device, tokens: Arrangement = separate):
        self.data = data
        self._tokens = tokens
        self._device = device
        self._begin(order)

    def _begin(self, order: PassOrder) -> None:
        self.pass_index = 0
        self.batch_index = 0
        self._order = order
        self._batches = order(0)
        self.batches_per_pass = len(self._batches)
        self.examples = sum(map(len, self._batches))

    def next(self) -> Batch:
        """The batch at the position, which moves on."""
        if self.batch_index == len(self._batches):
            self.pass_index += 1
            self.batch_index = 0
            self._batches = self._order(self.pass_index)
        rows = self._batches[self.batch_index]
        self.batch_index += 1
        return self._load(rows)

    @property
    def position(self) -> tuple[int, int]:
        """Which pass, and how many of its batches were given."""
        return self.pass_index, self.batch_index

    def go_to(self, pass_index: int, batch_index: int) -> None:
        """Go on as a stream does that has this position."""
        self.pass_index, self.batch_index = pass_index, batch_index
        self._batches = self._order(pass_index)

    def batches_in_pass(self, pass_index: int) -> int:
        """How many batches a pass has."""
        return len(self._order(pass_index))

    def example_ids(self, rows: Rows) -> list[str]:
        """The ids of a batch's examples."""
        return [self.data.split.examples[row].id for row in rows]

    def _load(self, rows: Rows) -> Batch:
        return Batch(
            rows,
            self._tokens(*self.data.sentences(rows)).to(self._device),
            torch.from_numpy(self.data.labels[rows]).to(self._device, non_blocking=True),
        )


def bucketed_order(
    lengths: Int64[np.ndarray, "examples"], rows: Int64[np.ndarray, "chosen"], batch_size: int, seed: int, stream: str
) -> PassOrder:
    """Batches of similar length: rows are permuted, sorted by length within windows, cut, and the batches permuted.

    Args:
        lengths: of all examples of the split.
        rows: the examples that take part.

    Source: about 45 % of the tokens in batches padded without this are padding. Each example comes once per pass.
    """

    def order(pass_index: int) -> list[Rows]:
        random = np.random.default_rng(derived_seed(seed, f"batches/{stream}/{pass_index}"))
        permuted = random.permutation(rows)
        window = batch_size * BATCHES_PER_WINDOW
        batches = []
        for start in range(0, len(permuted), window):
            part = permuted[start : start + window]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches += [part[begin : begin + batch_size] for begin in range(0, len(part), batch_size)]
        return [batches[index] for index in random.permutation(len(batches))]

    return order


def distinct_order(
    sentences: Sequence[tuple[bytes, bytes]], rows: Int64[np.ndarray, "chosen"], batch_size: int, seed: int, stream: str
) -> PassOrder:
    """Batches for MNR, in which every other pair is a negative: no sentence stands in two pairs of a batch.

    Not bucketed by length, since pairs of one length are easier to tell from others of another; no batch of one, as
    it has no negative. A last pair that fits nowhere is left out of the pass (decision 10).

    Args:
        sentences: per example of the split, what makes its two sentences equal to others'.
    """

    def order(pass_index: int) -> list[Rows]:
        random = np.random.default_rng(derived_seed(seed, f"batches/{stream}/{pass_index}"))
        batches = distinct_batches(random.permutation(rows).tolist(), sentences, batch_size)
        return [np.array(batch) for batch in batches]

    return order


def distinct_batches(rows: Sequence[int], sentences: Sequence[tuple[bytes, bytes]], batch_size: int) -> list[list[int]]:
    """`rows` in batches without a repeated sentence, filled in order; a row that does not fit waits for the next."""
    batches: list[list[int]] = []
    waiting = list(rows)
    while waiting:
        batch: list[int] = []
        seen: set[bytes] = set()
        passed: list[int] = []
        taken = 0
        for row in waiting:
            if len(batch) == batch_size:
                break
            taken += 1
            if seen.isdisjoint(sentences[row]):
                batch.append(row)
                seen.update(sentences[row])
            else:
                passed.append(row)
        waiting = passed + waiting[taken:]
        batches.append(batch)
    return _without_single_rows(batches, sentences)


def _without_single_rows(batches: list[list[int]], sentences: Sequence[tuple[bytes, bytes]]) -> list[list[int]]:
    """Each batch of one joins the last batch that it fits into, or is left out."""
    whole = [batch for batch in batches if len(batch) > 1]
    for row in (batch[0] for batch in batches if len(batch) == 1):
        for batch in reversed(whole):
            if all(set(sentences[row]).isdisjoint(sentences[other]) for other in batch):
                batch.append(row)
                break
    return whole
