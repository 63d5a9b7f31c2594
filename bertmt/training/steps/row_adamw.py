"""AdamW for a table of word embeddings, of which a step touches a few hundred rows of thirty thousand.

AdamW also moves the rows that have no gradient: weight decay and the momentum of earlier gradients go on. That depends
on nothing but the row's own moments and the learning rates, so it can wait until the row is next read, and be done for
all missed steps at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor, nn

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # PyTorch's own defaults, as of all other parameters
# After so many steps 0.9ⁿ has made of a momentum less than fp32 can add to a weight.
HORIZON = 160


class RowAdamW:
    """Keeps a table as AdamW would, row by row; a gradient is a sparse tensor with each row once.

    With s the step a row was last brought to and t the present one, its missed updates are
    p_t = D p_s − Σ_k D_k (lr_k / (1 − β1ᵏ)) β1ᵏ⁻ˢ m / (√(β2ᵏ⁻ˢ v / (1 − β2ᵏ)) + ε), k = s+1 … t, where D and D_k are
    products of (1 − lr·decay). The denominators of different k are proportional but for ε, which is some 1 % of
    them; with a_k/r_k the k-th factor of m/√v, the sum is taken as m C1 / (√v + ε C2/C1), C1 = Σ a_k/r_k and
    C2 = Σ a_k/r_k²: exact in the first order of ε. After 2,000 steps at 2e-5 with decay 0.01 it is 1e-5 from
    AdamW in fp64, where PyTorch's in fp32 is 1.7e-5 from it; without decay both are within 1e-6 (a test).

    Attributes:
        group: its settings, as a group of PyTorch's optimizers.
    """

    def __init__(self, table: nn.Parameter, rate: float, weight_decay: float):
        self.table = table
        self.group: dict[str, Any] = {"params": [table], "lr": rate, "full_lr": rate, "weight_decay": weight_decay}
        # numpy's zeros take no memory before they are written to, and most rows never are.
        self._momentum, self._square = (torch.from_numpy(np.zeros(table.shape, dtype=np.float32)) for _ in range(2))
        self._reached = np.zeros(len(table), dtype=np.int64)
        self._history = _History()

    @torch.no_grad()
    def refresh(self, rows: Int64[Tensor, "rows"]) -> None:
        """Bring these rows up to date, before they are read."""
        late = rows[torch.from_numpy(self._reached[rows.numpy()] < self._history.steps)]
        if len(late):
            self.table[late], self._momentum[late], self._square[late] = self._updated(late)
            self._reached[late.numpy()] = self._history.steps

    @torch.no_grad()
    def step(self) -> None:
        """One step; the rows of the gradient must be up to date. Without a gradient it is none, as for PyTorch's."""
        if self.table.grad is None:
            return
        self._history.add(self.group["lr"], self.group["weight_decay"])
        rows, gradient = self.table.grad.indices()[0], self.table.grad.values()
        step, rate = self._history.steps, self.group["lr"]
        momentum = self._momentum[rows].lerp_(gradient, 1 - BETA1)
        square = self._square[rows].mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        spread = square.sqrt().div_((1 - BETA2**step) ** 0.5).add_(EPSILON)
        values = self.table[rows].mul_(1 - rate * self.group["weight_decay"])
        self.table[rows] = values.addcdiv_(momentum, spread, value=-rate / (1 - BETA1**step))
        self._momentum[rows], self._square[rows] = momentum, square
        self._reached[rows.numpy()] = step

    @contextmanager
    def current(self) -> Iterator[None]:
        """A scope in which the whole table is up to date.

        Afterwards it is again as it was, so that a run's bits do not depend on how often somebody looked.
        """
        kept = self.table.data
        with torch.no_grad():
            self.table.data = self._updated(torch.arange(len(kept)))[0]
        try:
            yield
        finally:
            self.table.data = kept

    def finish(self) -> None:
        """Bring the whole table up to date for good, at the end of a phase."""
        self.refresh(torch.arange(len(self.table)))

    def _updated(self, rows: Int64[Tensor, "rows"]) -> tuple[Float32[Tensor, "rows hidden"], ...]:
        """Values, momentum and square of these rows as of now."""
        since = self._history.since(self._reached[rows.numpy()])
        decay, first, second, missed = (torch.from_numpy(each.astype(np.float32))[:, None] for each in since)
        momentum, square = self._momentum[rows], self._square[rows]
        ratio = torch.where(first > 0, second / first, 1.0)
        values = self.table[rows].mul_(decay).sub_(momentum * first / (square.sqrt() + EPSILON * ratio))
        return values, momentum * BETA1**missed, square * BETA2**missed

    def tensors(self) -> dict[str, Tensor]:
        """What to go on from."""
        return {
            "exp_avg": self._momentum,
            "exp_avg_sq": self._square,
            "reached": torch.from_numpy(self._reached),
            "rates": torch.from_numpy(self._history.rates()),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `tensors` gave.

        Raises:
            KeyError, RuntimeError, ValueError: it is of another table.
        """
        self._momentum.copy_(tensors["exp_avg"])
        self._square.copy_(tensors["exp_avg_sq"])
        self._reached[:] = tensors["reached"].numpy()
        self._history = _History()
        for rate in tensors["rates"].tolist():
            self._history.add(rate, self.group["weight_decay"])


class _History:
    """The learning rates of all steps, as sums over missed steps need them."""

    def __init__(self) -> None:
        self.steps = 0
        # Per step: its rate; ln Π(1 − lr·decay) up to it; and what of a_k/r_k, a_k/r_k² does not depend on s.
        self._table = np.zeros((4, 1024))

    def add(self, rate: float, weight_decay: float) -> None:
        """One more step."""
        if self.steps == self._table.shape[1]:
            self._table = np.concatenate([self._table, np.zeros_like(self._table)], axis=1)
        step = self.steps + 1
        with np.errstate(invalid="ignore", divide="ignore"):  # from rate = 1/decay on, where every run diverges
            shrink = np.log1p(-rate * weight_decay)
        decay = (self._table[1, self.steps - 1] if self.steps else 0.0) + shrink
        weight = rate / (1 - BETA1**step) * np.exp(-decay)
        spread = 1 - BETA2**step
        self._table[:, self.steps] = rate, decay, weight * spread**0.5, weight * spread
        self.steps = step

    def rates(self) -> Float64[np.ndarray, "steps"]:
        """The rates alone."""
        return self._table[0, : self.steps].copy()

    def since(self, reached: Int64[np.ndarray, "rows"]) -> tuple[Float64[np.ndarray, "rows"], ...]:
        """Per row D, C1, C2, and how many steps it missed."""
        if not self.steps:
            zeros = np.zeros(len(reached))
            return zeros + 1, zeros, zeros, zeros
        _, decay, first, second = self._table[:, : self.steps]
        steps, where = np.unique(reached, return_inverse=True)
        after = np.arange(1, HORIZON + 1)
        index = steps[:, None] + after - 1
        missed = index < self.steps
        index = np.minimum(index, self.steps - 1)
        total = np.exp(decay[-1] - np.where(steps > 0, decay[steps - 1], 0.0))
        upto = np.exp(decay[-1])
        sums = [
            upto * np.where(missed, each[index], 0.0) @ ((BETA1 / BETA2**power) ** after)
            for each, power in ((first, 0.5), (second, 1.0))
        ]
        return total[where], sums[0][where], sums[1][where], (self.steps - reached).astype(np.float64)
