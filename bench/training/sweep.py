"""`python -m bench.training.sweep`: whether bertmt's cost is linear in tokens.

Seconds per real token over the batch size, the length of sentences, the number of tasks and LoRA's rank, one of them at
a time; sentences are generated, all of one length where nothing else is said. All contenders of an axis take turns.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.training.__main__ import say
from bench.training.contenders import PRODUCT, TASKS, Order, default_encoder
from bench.training.generated_data import write_data
from bench.training.rounds import Plan, measure

LENGTH, BATCH = 20, 16
AXES: dict[str, tuple[int, ...]] = {
    "batch_size": (4, 8, 16, 32, 64),
    "length": (8, 16, 32, 64, 128),
    "tasks": (1, 2, 3),
    "rank": (0, 8, 50, 200),
}
SIZES = {"train": 1_000, "dev": 20}


def order_at(axis: str, value: int, encoder: str, folder: Path) -> Order:
    """bertmt's baseline but for one value; its data are written into the folder."""
    length = value if axis == "length" else LENGTH
    data = folder / f"length-{length}"
    if not data.exists():
        write_data(data, encoder, SIZES, lambda task: lambda dice: length)
    return Order(
        module=PRODUCT,
        batch_size=value if axis == "batch_size" else BATCH,
        encoder=encoder,
        data=str(data),
        settings={"lora.rank": value} if axis == "rank" else {},
        tasks=TASKS[:value] if axis == "tasks" else TASKS,
        dev_examples=20,
    )


def sweep(encoder: str, plan: Plan, axes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Microseconds per real token by axis and value."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as files:
        for axis in axes:
            orders = {f"{axis} {value}": order_at(axis, value, encoder, Path(files)) for value in AXES[axis]}
            rows, _ = measure(orders, plan, 0, say)
            found[axis] = {row.name.split()[1]: 1e6 * row.median("seconds", "tokens") for row in rows}
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """A line for each value, and for each axis how far apart they are."""
    lines = []
    for axis, values in found.items():
        least, most = min(values.values()), max(values.values())
        lines.append(
            f"{axis.replace('_', ' ')}: {most / least:.2f} times as long per token at its worst as at its best"
        )
        lines += [f"{value:>8}  {cost:8.1f} µs per token  {cost / least:.2f}" for value, cost in values.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.training.sweep", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--encoder", default=default_encoder())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--axis", action="append", choices=AXES)
    asked = parser.parse_args(arguments)
    plan = Plan(rounds=asked.rounds, steps=asked.steps, warm_up=2)
    found = sweep(asked.encoder, plan, asked.axis or list(AXES))
    print(table(found))
    result = {"encoder": asked.encoder, "microseconds_per_token": found}
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
