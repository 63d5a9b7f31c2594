"""A training without torch: a random walk whose every value is a function of its seed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bertmt.tasks.examples import Example

EXAMPLES = tuple(Example(f"e{index}", f"sentence {index}", None, index % 5) for index in range(10))
UNDEFINED_EVERY = 7


class Walk:
    """Where the walk is; the next step depends on nothing else."""

    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)
        self.position = np.zeros(4)

    def step(self, number: int) -> dict[str, float]:
        """Go one step; the values of its event."""
        self.position = 0.9 * self.position + self.generator.normal(size=4)
        norm = float("nan") if number % UNDEFINED_EVERY == 3 else float(np.abs(self.position).sum())
        return {"loss/sst": float(self.position @ self.position), "gradient_norm": norm}

    def evaluate(self) -> tuple[float, float, np.ndarray]:
        """Score, loss and predictions, as functions of the position alone."""
        angles = np.outer(np.arange(1, len(EXAMPLES) + 1), np.resize(self.position, 5))
        weights = np.exp(np.sin(angles))
        probabilities = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        right = probabilities.argmax(axis=1) == [int(each.label or 0) for each in EXAMPLES]
        return float(right.mean()), float(np.cos(self.position).sum()), probabilities

    def to_json(self) -> str:
        return json.dumps({"position": self.position.tolist(), "generator": self.generator.bit_generator.state})

    def restore(self, text: str) -> None:
        """Be where `to_json` was called."""
        document: dict[str, Any] = json.loads(text)
        self.position = np.array(document["position"])
        self.generator.bit_generator.state = document["generator"]


@dataclass
class Expected:
    """What a run must have left in the registry, however often it was killed.

    Attributes:
        points: series → step → value; None: not finite.
        predictions: (task, epoch) → bytes.
        files: by name, what the run folder holds besides.
    """

    points: dict[str, dict[int, float | None]] = field(default_factory=dict)
    predictions: dict[tuple[str, int], bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.points.setdefault(name, {})[step] = value if np.isfinite(value) else None


def expected_of(seed: int, epochs: int, epoch_steps: int) -> Expected:
    """What a walk leaves that nobody disturbs."""
    walk, expected = Walk(seed), Expected()
    for epoch in range(epochs + 1):
        if epoch:
            for step in range((epoch - 1) * epoch_steps, epoch * epoch_steps):
                expected.add(step, walk.step(step))
        score, loss, probabilities = walk.evaluate()
        expected.add(epoch * epoch_steps, {"dev/sst": score, "dev_loss/sst": loss})
        expected.predictions["sst", epoch] = probabilities.astype("<f4").tobytes()
    expected.files["model/walk.json"] = walk.to_json().encode()
    return expected
