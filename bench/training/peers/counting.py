"""What a library's trainer has seen and how long its steps took, told by hooks: its own code is left alone."""

import time
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from transformers import TrainerCallback

from bench.training.contenders import Block
from bench.training.flops import Cost, synchronize


class SeenTokens:
    """Counts what a module is given in training, by name or as features.

    Attributes:
        lengths: tokens of each sentence, without padding.
        places: padding included.
    """

    def __init__(self, encoder: nn.Module):
        self.lengths: list[Tensor] = []
        self.places = 0
        encoder.register_forward_pre_hook(self._see, with_kwargs=True)

    def _see(self, encoder: nn.Module, args: tuple[Any, ...], given: Mapping[str, Any]) -> None:
        if encoder.training:
            mask = given["attention_mask"] if given else args[0]["attention_mask"]
            self.lengths.append(mask.sum(dim=1))
            self.places += mask.numel()

    def clear(self) -> None:
        self.lengths, self.places = [], 0


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers is not followed
    """Runs from the end of the last step of the warm-up to the end of the last step."""

    def __init__(self, seen: SeenTokens, warm_up: int, steps: int, device: str):
        self.seen, self.warm_up, self.steps, self.device = seen, warm_up, steps, device
        self.seconds = 0.0
        self._start = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._begin()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.warm_up:
            self._begin()
        if state.global_step == self.warm_up + self.steps:
            synchronize(self.device)
            self.seconds = time.perf_counter() - self._start

    def _begin(self) -> None:
        synchronize(self.device)
        self.seen.clear()
        self._start = time.perf_counter()


def block_of(clock: Clock, batch_size: int, cost: Cost, loss: float) -> Block:
    """What the steps on the clock were; a pass has ended in none of them."""
    lengths = [length for part in clock.seen.lengths for length in part.tolist()]
    return Block(
        steps=clock.steps,
        examples=clock.steps * batch_size,
        tokens=sum(lengths),
        places=clock.seen.places,
        flops=cost.of(lengths),
        seconds=clock.seconds,
        loss=loss,
    )
