"""The data as a loop without bertmt would have them: the same files, the library's tokenizer, batches padded to their
longest sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import AutoTokenizer

from bench.training.contenders import MAX_LENGTH
from bertmt.encoders.find import find_encoder
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split

WINDOW = 50  # batches


@dataclass(frozen=True)
class Tokens:
    """Sentences in one batch: ids, and 1 where there is no padding."""

    input_ids: Tensor
    attention_mask: Tensor


@dataclass(frozen=True)
class TaskBatch:
    """Examples of one task.

    Attributes:
        sentences: of pairs two batches, the first and the second sentences; or one, with the second behind the first.
        lengths: tokens of each sentence without padding.
    """

    sentences: tuple[Tokens, ...]
    labels: Tensor
    lengths: tuple[int, ...]

    @property
    def places(self) -> int:
        return sum(part.input_ids.numel() for part in self.sentences)


class TaskData:
    """A split of a task, tokenised.

    Attributes:
        sentences: of each example its sentences as token ids.
    """

    def __init__(self, data: str, task: str, split: str, encoder: str, limit: int = 0, device: str = "cpu"):
        examples = read_split(data, BUILTIN[task], split).first(limit).examples
        tokenizer = AutoTokenizer.from_pretrained(find_encoder(encoder).folder, local_files_only=True)
        parts = [[example.first for example in examples]]
        if BUILTIN[task].pair:
            parts.append([example.second or "" for example in examples])
        encoded = [tokenizer(part, truncation=True, max_length=MAX_LENGTH)["input_ids"] for part in parts]
        self.sentences: list[tuple[list[int], ...]] = list(zip(*encoded, strict=True))
        self.labels = torch.tensor([float("nan") if each.label is None else float(each.label) for each in examples])
        self.device = device
        self._padding = int(tokenizer.pad_token_id)

    def __len__(self) -> int:
        return len(self.sentences)

    def batch(self, rows: Sequence[int], together: bool) -> TaskBatch:
        """A batch; `together`: both sentences of pairs in one."""
        columns = [list(column) for column in zip(*(self.sentences[row] for row in rows), strict=True)]
        parts = [[ids for column in columns for ids in column]] if together else columns
        lengths = tuple(len(ids) for column in columns for ids in column)
        return TaskBatch(tuple(map(self._padded, parts)), self.labels[list(rows)].to(self.device), lengths)

    def _padded(self, sentences: Sequence[list[int]]) -> Tokens:
        width = max(map(len, sentences))
        ids = torch.tensor([each + [self._padding] * (width - len(each)) for each in sentences])
        mask = torch.tensor([[1] * len(each) + [0] * (width - len(each)) for each in sentences])
        return Tokens(ids.to(self.device), mask.to(self.device))

    def _width(self, row: int) -> int:
        return max(map(len, self.sentences[row]))

    def shuffled(self, size: int, seed: int) -> Iterator[list[int]]:
        """Rows of random batches, pass after pass without end."""
        generator = torch.Generator().manual_seed(seed)
        while True:
            order = torch.randperm(len(self), generator=generator).tolist()
            yield from (order[start : start + size] for start in range(0, len(order), size))

    def sorted_windows(self, size: int, seed: int) -> Iterator[list[int]]:
        """The same, but each window of some batches is sorted by length before it is cut, and its batches shuffled."""
        generator = torch.Generator().manual_seed(seed)
        while True:
            order = torch.randperm(len(self), generator=generator).tolist()
            for start in range(0, len(order), size * WINDOW):
                window = sorted(order[start : start + size * WINDOW], key=self._width)
                batches = [window[begin : begin + size] for begin in range(0, len(window), size)]
                yield from (batches[index] for index in torch.randperm(len(batches), generator=generator).tolist())
