"""bertmt as a contender: a run folder, composed as its child does, whose steps are taken one by one."""

import tempfile
import time
from pathlib import Path

from bench.training.contenders import Block, Order
from bench.training.first_step import run_folder
from bench.training.flops import Cost, cost_of, synchronize
from bertmt.recipe.pretraining import TRAIN
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.composition import compose
from bertmt.training.memory import reuse_freed_memory
from bertmt.training.seeding import seed_dropout
from bertmt.training.steps.batches import Batch
from bertmt.training.steps.step import StepResult
from bertmt.training.stopping import StopFlag
from bertmt.training.timing import Stopwatch


class Product:
    """A run of bertmt, from before its first step."""

    def __init__(self, order: Order):
        # As `bertmt.training.attempt` begins.
        reuse_freed_memory()
        self._files = tempfile.TemporaryDirectory()
        folder = run_folder(order, Path(self._files.name) / "run")
        self.run = compose(folder, folder.read_order(), order.recipe, StopFlag())
        self.state = TrainingState(self.run, Progress(), Stopwatch())
        self.state.model.train()
        seed_dropout(self.run.recipe.seed)
        self.optimizer = self.state.enter(TRAIN)
        self.precision = str(self.run.precision)
        self._device = self.run.device.type
        self._taken = 0
        self._evaluated = 0

    def train(self, steps: int, warm_up: int) -> Block:
        for _ in range(warm_up):
            self._take()
        synchronize(self._device)
        start = time.perf_counter()
        results = [self._take() for _ in range(steps)]
        synchronize(self._device)
        seconds = time.perf_counter() - start
        used = [(task, batch) for result in results for task, batch in result.batches.items()]
        return Block(
            steps=steps,
            examples=sum(len(batch.rows) for _, batch in used),
            tokens=sum(batch.token_count for _, batch in used),
            places=sum(batch.token_count for _, batch in used),
            flops=sum(self._cost(task).of(lengths_of(batch)) for task, batch in used),
            seconds=seconds,
            loss=sum(results[-1].losses.values()) if results else 0.0,
        )

    def evaluate(self) -> dict[str, float | None]:
        self._evaluated += 1
        return dict(self.run.evaluator.evaluate(self._evaluated).scores)

    def _take(self) -> StepResult:
        tasks = self.run.plan.tasks_at(self._taken)
        self._taken += 1
        return self.state.stepper.take(tasks, self.optimizer)

    def _cost(self, task: str) -> Cost:
        config = self.run.model.config
        return cost_of(self.run.model.encoder(task), config.hidden_size, config.num_hidden_layers)


def lengths_of(batch: Batch) -> list[int]:
    """Tokens of each sentence of a batch, without padding."""
    return list(batch.tokens.lengths)


contender = Product
