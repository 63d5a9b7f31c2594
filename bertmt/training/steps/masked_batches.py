"""Batches of sentences some of whose tokens are hidden, for masked-language modelling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from bertmt.models.guessing import MASKED, hide
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.seeding import derived_seed
from bertmt.training.steps.batches import Batch, BatchStream, Rows, bucketed_order
from bertmt.training.steps.tokenised import TokenIds, TokenisedSplit

SHORTEST = 3  # tokens: start, end, and one to guess


@dataclass(frozen=True)
class MaskedBatch(Batch):
    """Sentences as the encoder reads them; `goals` are the tokens to guess, `guessing.NOTHING` where nothing is asked.

    They have no labels: those are 0.
    """

    goals: Int64[Tensor, "tokens"]


class Sentences:
    """The different sentences of some splits, as a stream reads a split.

    Attributes:
        ids: of the examples that they first stand in.
    """

    def __init__(self, splits: Sequence[TokenisedSplit]):
        found: dict[bytes, tuple[TokenIds, int, str]] = {}
        for each in splits:
            for sentences in (each.first, each.second):
                for place in range(len(sentences) if sentences else 0):
                    assert sentences is not None
                    if sentences.lengths[place] >= SHORTEST:
                        found.setdefault(sentences.key(place), (sentences, place, each.split.examples[place].id))
        self._found = list(found.values())
        self.ids = [name for _, _, name in self._found]
        self.lengths = np.array([int(sentences.lengths[place]) for sentences, place, _ in self._found])

    def of(self, rows: Rows) -> list[list[int]]:
        """Token ids of these sentences."""
        return [self._found[row][0][self._found[row][1]] for row in rows]


class MaskedStream(BatchStream):
    """Batches of sentences without end; which tokens are hidden depends on seed, stream and position alone.

    Args:
        name: of the stream.
        words: how many word pieces there are, and `mask` the one that hides others.
    """

    def __init__(
        self, sentences: Sentences, batch_size: int, seed: int, name: str, device: torch.device, words: int, mask: int
    ):
        self._sentences = sentences
        self._seed, self._name, self._words, self._mask = seed, name, words, mask
        self._device = device
        order = bucketed_order(sentences.lengths, np.arange(len(sentences.lengths)), batch_size, seed, name)
        self._begin(order)

    def example_ids(self, rows: Rows) -> list[str]:
        """The ids of the examples that a batch's sentences first stand in."""
        return [self._sentences.ids[row] for row in rows]

    def _load(self, rows: Rows) -> MaskedBatch:
        tokens = TokenBatch.of(self._sentences.of(rows))
        # Of the position that was reached with this batch: no two have the same.
        dice = np.random.default_rng(
            derived_seed(self._seed, f"hidden/{self._name}/{self.pass_index}/{self.batch_index}")
        )
        ids, goals = self._hidden(tokens, dice)
        labels = torch.zeros(len(rows))
        place = self._device
        return MaskedBatch(rows, TokenBatch(ids, tokens.lengths).to(place), labels.to(place), goals.to(place))

    def _hidden(
        self, tokens: TokenBatch, dice: np.random.Generator
    ) -> tuple[Int64[Tensor, "tokens"], Int64[Tensor, "tokens"]]:
        ends = np.cumsum(tokens.lengths)
        may_be_asked = np.ones(len(tokens.input_ids), dtype=bool)
        may_be_asked[ends - 1] = may_be_asked[ends - tokens.lengths] = False  # start and end
        odds, kind = dice.random((2, len(may_be_asked)), dtype=np.float32)
        asked = may_be_asked & (odds < MASKED)
        if not asked.any():
            asked[np.flatnonzero(may_be_asked)[0]] = True  # so that there is something to guess in every batch
        others = dice.integers(self._words, size=len(asked))
        of, to, by = (torch.from_numpy(each) for each in (asked, kind, others))
        return hide(tokens.input_ids, of, to, by, self._mask)
