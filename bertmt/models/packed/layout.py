"""Where the sentences of one pass stand: one after another, without padding, task by task.

An encoder's linear layers and norms read each token alone, so padding would only be computed for nothing: of a batch
of similar lengths some 8 %, of all tasks side by side much more. Attention alone needs to know which tokens
belong together; it reads sentences of similar length as one padded group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, Shaped
from torch import Tensor

# A group costs about 0.5 ms a layer for starting its operations, as much as 50,000 places of its score matrices that
# are padding (measured on two CPU cores, all heads counted).
AFFORDABLE_PADDING = 50_000


@dataclass(frozen=True)
class TokenBatch:
    """Sentences as token ids.

    Attributes:
        input_ids: of all sentences, one after another.
        lengths: tokens of each sentence.
        types: 1 where a token is of the second of two sentences that are read as one, else 0; None: all are 0.
    """

    input_ids: Int64[Tensor, "tokens"]
    lengths: tuple[int, ...]
    types: Int64[Tensor, "tokens"] | None = None

    @classmethod
    def joint(
        cls, first: Sequence[Sequence[int]], second: Sequence[Sequence[int]], ends_between: int = 1
    ) -> "TokenBatch":
        """Pairs, each as one sentence: all of the first one, all of the second one but its start.

        Args:
            ends_between: how many of the end's tokens stand between the two; RoBERTa was pretrained with 2.

        Source: Devlin et al. 2019, "BERT", figure 2 and section 3.2.
        """
        parts = [
            ([*one, *list(one[-1:]) * (ends_between - 1)], other[1:]) for one, other in zip(first, second, strict=True)
        ]
        joined = cls.of([[*one, *other] for one, other in parts])
        types = [np.repeat([0, 1], [len(one), len(other)]) for one, other in parts]
        return cls(joined.input_ids, joined.lengths, torch.from_numpy(np.concatenate(types)))

    @classmethod
    def of(cls, sentences: Sequence[Sequence[int]]) -> "TokenBatch":
        """A batch on the CPU."""
        lengths = tuple(map(len, sentences))
        ids = np.fromiter((each for sentence in sentences for each in sentence), np.int64, count=sum(lengths))
        return cls(torch.from_numpy(ids), lengths)

    def to(self, device: torch.device | str) -> "TokenBatch":
        """The same batch on `device`."""
        types = None if self.types is None else self.types.to(device, non_blocking=True)
        return TokenBatch(self.input_ids.to(device, non_blocking=True), self.lengths, types)

    def __add__(self, other: "TokenBatch") -> "TokenBatch":
        """These sentences, then those of another batch."""
        has_types = self.types is not None or other.types is not None
        return TokenBatch(
            torch.cat([self.input_ids, other.input_ids]),
            self.lengths + other.lengths,
            torch.cat([self.all_types, other.all_types]) if has_types else None,
        )

    @property
    def all_types(self) -> Int64[Tensor, "tokens"]:
        """`types`, written out."""
        return torch.zeros_like(self.input_ids) if self.types is None else self.types

    def __post_init__(self) -> None:
        if len(self.input_ids) != sum(self.lengths):
            raise ValueError(f"The sentences have {sum(self.lengths)} tokens, but {len(self.input_ids)} are there.")


@dataclass(frozen=True)
class Group:
    """Sentences that attention reads side by side, each padded to the longest.

    Attributes:
        rows: where its vectors stand among those of all groups: sentence by sentence, head by head, token by token.
        keys: which padded places are tokens; None where all are.
    """

    sentences: int
    longest: int
    rows: slice
    keys: Bool[Tensor, "sentences longest"] | None


@dataclass(frozen=True)
class Groups:
    """All sentences of a pass, in groups of similar length.

    Attributes:
        padded: which of the tokens' vectors (token by token, head by head) stands at each place of the groups; at
            padding that of the sentence's first token.
        places: the inverse: at which place of the groups each token's vector stands; those that belong to no sentence
            stand behind all of them.
    """

    each: tuple[Group, ...]
    padded: Int64[Tensor, "places"]
    places: Int64[Tensor, "vectors"]


@dataclass(frozen=True)
class Pass:
    """The sentences of one pass through an encoder.

    Behind the tokens of each task stand a few that belong to no sentence, so that their number is one of few: a CPU's
    library makes a program for each shape of a product and keeps a thousand of them (0.7 ms each; a step has shapes
    that no other step of a run had). Nothing reads them, so their gradients are 0.

    Attributes:
        input_ids: of all sentences, one after another.
        lengths: tokens of each sentence.
        starts: where each begins.
        parts: the tokens of each task, whose gradients are kept apart; one slice of everything where they are not.
        sentences: how many sentences each task has, by task.
        heads: of the encoder's attention.
        types: as of `TokenBatch`; None: all are 0.
    """

    input_ids: Int64[Tensor, "tokens"]
    lengths: Int64[np.ndarray, "sentences"]
    starts: Int64[np.ndarray, "sentences"]
    parts: tuple[slice, ...]
    sentences: Mapping[str, int]
    heads: int
    types: Int64[Tensor, "tokens"] | None = None

    @classmethod
    def of(cls, batches: Mapping[str, TokenBatch], heads: int, *, apart: bool = False) -> "Pass":
        """The sentences of one or several tasks, one task after another.

        Args:
            apart: the gradients of the tasks are kept apart.
        """
        ids, types, starts, ends = [], [], [], [0]
        has_types = any(each.types is not None for each in batches.values())
        for index, tokens in enumerate(batches.values()):
            count = _rounded(len(tokens.input_ids)) if apart else len(tokens.input_ids)
            if index == len(batches) - 1:
                count = _rounded(ends[-1] + count) - ends[-1]
            ids += [tokens.input_ids, tokens.input_ids[:1].expand(count - len(tokens.input_ids))]
            if has_types:
                types += [tokens.all_types, tokens.input_ids.new_zeros(count - len(tokens.input_ids))]
            starts.append(ends[-1] + np.cumsum([0, *tokens.lengths[:-1]]))
            ends.append(ends[-1] + count)
        return cls(
            torch.cat(ids),
            np.array([length for tokens in batches.values() for length in tokens.lengths]),
            np.concatenate(starts),
            tuple(slice(begin, end) for begin, end in pairwise(ends)) if apart else (slice(None),),
            {task: len(each.lengths) for task, each in batches.items()},
            heads,
            torch.cat(types) if has_types else None,
        )

    @cached_property
    def words(self) -> tuple[Int64[Tensor, "words"], Int64[Tensor, "tokens"]]:
        """The ids that occur, and which of them each token is."""
        found, which = np.unique(self.input_ids.numpy(force=True), return_inverse=True)
        return self._there(found), self._there(which)

    @cached_property
    def sentence_of_token(self) -> Int64[Tensor, "tokens"]:
        """Which sentence each token belongs to; of those of none, one more than there are."""
        found = np.full(len(self.input_ids), len(self.lengths))
        found[self._real] = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return self._there(found)

    @cached_property
    def positions(self) -> Int64[Tensor, "tokens"]:
        """The place of each token in its sentence, from 0."""
        found = np.zeros(len(self.input_ids), dtype=np.int64)
        found[self._real] = self._real - np.repeat(self.starts, self.lengths)
        return self._there(found)

    @cached_property
    def _real(self) -> Int64[np.ndarray, "real"]:
        """All tokens of sentences."""
        ends = np.cumsum(self.lengths)
        found: np.ndarray = np.arange(ends[-1]) + np.repeat(self.starts - ends + self.lengths, self.lengths)
        return found

    @cached_property
    def first_tokens(self) -> Int64[Tensor, "sentences"]:
        """Where each sentence begins."""
        return self._there(self.starts)

    @cached_property
    def counts(self) -> Float32[Tensor, "sentences 1"]:
        """Tokens of each sentence."""
        return self._there(self.lengths.astype(np.float32))[:, None]

    @cached_property
    def groups(self) -> Groups:
        """What attention reads."""
        order = np.argsort(self.lengths, kind="stable")[::-1]
        sorted_lengths = self.lengths[order]
        groups: list[Group] = []
        padded: list[np.ndarray] = []
        places = np.full((len(self.input_ids), self.heads), -1)
        heads, begin = np.arange(self.heads), 0
        for first, last in pairwise(_boundaries(sorted_lengths.tolist(), self.heads)):
            lengths, starts = sorted_lengths[first:last], self.starts[order[first:last]]
            longest = int(lengths[0])
            inside = np.arange(longest) < lengths[:, None]
            tokens = np.where(inside, starts[:, None] + np.arange(longest), starts[:, None])
            padded.append((tokens[:, None, :] * self.heads + heads[:, None]).reshape(-1))
            row = np.arange(len(lengths))[:, None, None] * self.heads + heads
            places[tokens[inside]] = (begin + row * longest + np.arange(longest)[:, None])[inside]
            keys = None if inside.all() else self._there(inside)
            end = begin + len(padded[-1])
            groups.append(Group(len(lengths), longest, slice(begin, end), keys))
            begin = end
        places[places < 0] = begin
        return Groups(tuple(groups), self._there(np.concatenate(padded)), self._there(places.reshape(-1)))

    def _there(self, array: Shaped[np.ndarray, "*shape"]) -> Shaped[Tensor, "*shape"]:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.input_ids.device, non_blocking=True)


def _rounded(count: int) -> int:
    """`count` or a little more, so that between a number and its double there are at most 17 different results."""
    step: int = 2 ** max(0, count.bit_length() - 5)
    return -(-count // step) * step


def _boundaries(lengths: Sequence[int], heads: int) -> list[int]:
    """Where groups begin and end among falling lengths: a group ends where it would hold too much padding."""
    bounds, longest, padding = [0], lengths[0], 0
    for index, length in enumerate(lengths):
        padding += heads * (longest * longest - length * length)
        if padding > AFFORDABLE_PADDING:
            bounds.append(index)
            longest, padding = length, 0
    return [*bounds, len(lengths)]
