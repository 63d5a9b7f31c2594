"""The loop of a course's project as students write it: fp32, random batches padded to their longest sentence, a forward
pass for each sentence of a pair, a backward pass for each task, PCGrad over flattened gradients, AdamW.

Kind to it: tokens and batches are made before the clock starts, and attention is PyTorch's own.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from bench.training.contenders import Block, Order
from bench.training.peers.model import MultitaskBert, Setting, embeddings_of
from bench.training.peers.timed_steps import timed_steps
from bench.training.peers.token_batches import TaskBatch


def pcgrad(gradients: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """The sum of the tasks' gradients, each without its part against another's.

    Source: Yu et al. 2020, "Gradient Surgery for Multi-Task Learning", algorithm 1.
    """
    projected = [gradient.clone() for gradient in gradients]
    for i, gradient in enumerate(projected):
        for j in torch.randperm(len(gradients), generator=generator).tolist():
            other = gradients[j]
            if i == j:
                continue
            dot = torch.dot(gradient, other)
            if dot < 0:
                gradient -= dot / torch.dot(other, other) * other
    return torch.stack(projected).sum(dim=0)


def flattened(parameters: Iterable[nn.Parameter]) -> Tensor:
    """All gradients as one vector."""
    return torch.cat([(torch.zeros_like(each) if each.grad is None else each.grad).flatten() for each in parameters])


def write_back(gradient: Tensor, parameters: Iterable[nn.Parameter]) -> None:
    """One vector as the parameters' gradients."""
    start = 0
    for parameter in parameters:
        parameter.grad = gradient[start : start + parameter.numel()].view_as(parameter).clone()
        start += parameter.numel()


def train_step(
    model: MultitaskBert, optimizer: torch.optim.Optimizer, batches: Mapping[str, TaskBatch], generator: torch.Generator
) -> float:
    """One step on a batch of each task; the sum of the losses."""
    shared = list(model.encoder.parameters())
    optimizer.zero_grad()
    gradients = []
    total = 0.0
    for task, batch in batches.items():
        loss = model.loss(task, embeddings_of(model, task, batch), batch.labels)
        loss.backward()
        gradients.append(flattened(shared))
        model.encoder.zero_grad()  # the heads keep theirs
        total += loss.item()
    write_back(pcgrad(gradients, generator), shared)
    optimizer.step()
    return total


class CourseLoop:
    """The loop as a contender."""

    precision = "fp32"

    def __init__(self, order: Order):
        self.setting = Setting(order)
        self.optimizer = torch.optim.AdamW(self.setting.model.parameters(), lr=self.setting.learning_rate)
        self.generator = torch.Generator().manual_seed(0)
        self.rows = {task: data.shuffled(order.batch_size, seed=0) for task, data in self.setting.train.items()}

    def next_batches(self) -> dict[str, TaskBatch]:
        """A batch of each task; of pairs the first and the second sentences on their own."""
        return {task: data.batch(next(self.rows[task]), together=False) for task, data in self.setting.train.items()}

    def step(self, batches: Mapping[str, TaskBatch]) -> float:
        return train_step(self.setting.model, self.optimizer, batches, self.generator)

    def train(self, steps: int, warm_up: int) -> Block:
        return timed_steps(self.setting, self.next_batches, self.step, steps, warm_up)

    def evaluate(self) -> dict[str, float | None]:
        return self.setting.scores(together=False)


contender = CourseLoop
