"""A plain fast loop, as one who knows PyTorch writes it and wants no gradient surgery: bf16 autocast of the encoder,
sorted windows, both sentences of a pair in one pass, one backward pass of the sum of the losses, fused AdamW."""

from collections.abc import Mapping

import torch

from bench.training.contenders import Block, Order
from bench.training.peers.model import Setting, embeddings_of
from bench.training.peers.timed_steps import timed_steps
from bench.training.peers.token_batches import TaskBatch


class PlainLoop:
    """The loop as a contender."""

    precision = "bf16"

    def __init__(self, order: Order):
        self.setting = Setting(order)
        model = self.setting.model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=self.setting.learning_rate, fused=True)
        self.rows = {task: data.sorted_windows(order.batch_size, seed=0) for task, data in self.setting.train.items()}

    def next_batches(self) -> dict[str, TaskBatch]:
        """A batch of each task; of pairs both sentences together."""
        return {task: data.batch(next(self.rows[task]), together=True) for task, data in self.setting.train.items()}

    def step(self, batches: Mapping[str, TaskBatch]) -> float:
        """One step on a batch of each task; the sum of the losses."""
        model = self.setting.model
        with torch.autocast(self.setting.device, torch.bfloat16):
            embedded = {task: embeddings_of(model, task, batch) for task, batch in batches.items()}
        losses = [model.loss(task, embeddings, batches[task].labels) for task, embeddings in embedded.items()]
        total = torch.stack(losses).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()
        return total.item()

    def train(self, steps: int, warm_up: int) -> Block:
        return timed_steps(self.setting, self.next_batches, self.step, steps, warm_up)

    def evaluate(self) -> dict[str, float | None]:
        with torch.autocast(self.setting.device, torch.bfloat16):
            return self.setting.scores(together=True)


contender = PlainLoop
