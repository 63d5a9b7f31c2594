"""Steps of a loop on batches that are made before the clock starts."""

import time
from collections.abc import Callable, Mapping

from bench.training.contenders import Block
from bench.training.flops import synchronize
from bench.training.peers.model import Setting
from bench.training.peers.token_batches import TaskBatch

Batches = Mapping[str, TaskBatch]


def timed_steps(
    setting: Setting, next_batches: Callable[[], Batches], step: Callable[[Batches], float], steps: int, warm_up: int
) -> Block:
    """Take `warm_up` steps, then `steps` on the clock."""
    for _ in range(warm_up):
        step(next_batches())
    prepared = [next_batches() for _ in range(steps)]
    synchronize(setting.device)
    start = time.perf_counter()
    losses = [step(batches) for batches in prepared]
    synchronize(setting.device)
    seconds = time.perf_counter() - start
    used = [batch for batches in prepared for batch in batches.values()]
    return Block(
        steps=steps,
        examples=sum(len(batch.labels) for batch in used),
        tokens=sum(sum(batch.lengths) for batch in used),
        places=sum(batch.places for batch in used),
        flops=sum(setting.cost.of(batch.lengths) for batch in used),
        seconds=seconds,
        loss=losses[-1] if losses else 0.0,
    )
