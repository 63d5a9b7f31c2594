"""The gradients of an encoder that several tasks train, apart by task, from one backward pass.

The sentences of different tasks never meet inside an encoder. So the gradient of the sum of all losses with respect to
a token's activations is that of its own task's loss, and only where activations become gradients of weights are tasks
kept apart: each layer multiplies the tokens of each task on their own. One forward and one backward pass then do what
one per task did, and read each weight once.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from bertmt.models.packed.layout import Pass


class TaskGradients:
    """Where the layers of an encoder leave the gradients of their parameters.

    Args:
        parameters: those that train, the word embeddings left out.
        words: the table of word embeddings, if it trains.
        tasks: how many are kept apart at most; 1 where only their sum is wanted.

    Attributes:
        flat: of each task all gradients but the words', one after another.
        rows: of each task those of the words that occur in the pass.
    """

    flat: Float32[Tensor, "tasks size"]
    rows: Float32[Tensor, "tasks words hidden"] | None

    def __init__(self, parameters: Sequence[nn.Parameter], words: nn.Parameter | None, tasks: int):
        self.words = words
        self.rows = None
        self._parameters = list(parameters)
        sizes = [each.numel() for each in self._parameters]
        self.flat = torch.zeros(tasks, sum(sizes), device=self._parameters[0].device)
        parts = zip(*(row.split(sizes) for row in self.flat), strict=True)
        self._views = {
            id(parameter): [part.view(parameter.shape) for part in by_task]
            for parameter, by_task in zip(self._parameters, parts, strict=True)
        }
        self._written: set[int] = set()

    def begin(self, current: Pass) -> None:
        """Forget what the last pass left."""
        self._written.clear()
        self.rows = None
        self.current = current

    @property
    def reached(self) -> bool:
        """Whether the backward pass came by; it does not where no task of the encoder has a loss."""
        return bool(self._written)

    def keep(self, parameter: nn.Parameter, task: int, gradient: Float[Tensor, "*shape"]) -> None:
        """A parameter's gradient of one task; each parameter takes part in a pass once."""
        self._views[id(parameter)][task].copy_(gradient)
        self._written.add(id(parameter))

    def keep_sums(
        self,
        parameter: nn.Parameter,
        task: int,
        index: Int64[Tensor, "tokens"],
        gradients: Float[Tensor, "tokens hidden"],
    ) -> None:
        """The same of a table: row index[i] gets gradients[i], rows that come several times their sum."""
        self._views[id(parameter)][task].zero_().index_add_(0, index, gradients)
        self._written.add(id(parameter))

    def keep_words(self, gradients: Float[Tensor, "tokens hidden"]) -> None:
        """The gradients of the word embeddings, per token of the pass."""
        found, place = self.current.words
        self.rows = gradients.new_zeros(len(self.current.parts), len(found), gradients.shape[-1])
        for rows, part in zip(self.rows, self.current.parts, strict=True):
            rows.index_add_(0, place[part], gradients[part])

    def of_tasks(self) -> list[list[Float32[Tensor, "..."]]]:
        """Of each task what surgery looks at; used up by it."""
        for parameter in self._parameters:
            if id(parameter) not in self._written:  # it took no part in this pass
                for view in self._views[id(parameter)]:
                    view.zero_()
        flats = self.flat[: len(self.current.parts)]
        if self.rows is None:
            return [[flat] for flat in flats]
        return [[flat, rows] for flat, rows in zip(flats, self.rows, strict=True)]

    def assign(self, task: int) -> None:
        """Give the parameters what stands at `task` as their gradients; the words' are sparse."""
        for parameter in self._parameters:
            parameter.grad = self._views[id(parameter)][task]
        if self.words is not None and self.rows is not None:
            found, _ = self.current.words
            self.words.grad = torch.sparse_coo_tensor(
                found[None], self.rows[task], self.words.shape, is_coalesced=True, check_invariants=False
            )
