"""`python -m bench.training.contender_process ORDER`: one contender in a process of its own.

It loads, takes its first step, and then does what lines of JSON on its input ask for; a line of JSON answers each.
Alone in a process, it has the memory allocator, the threads and the environment that it has in real use.
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.training.contenders import Contender, Order, order_from
from bertmt.run_folder.layout import RunOrder
from bertmt.training.__main__ import prepare_environment

MEBIBYTE = 1024  # KiB


def memory_mib(line: str) -> float:
    """`VmRSS` or `VmHWM` of this process: what is resident now, and at most was (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [found] = [each for each in status.splitlines() if each.startswith(f"{line}:")]
    return int(found.split()[1]) / MEBIBYTE


def prepare(order: Order) -> None:
    """The environment that libraries read at their import.

    It is that of bertmt's child for all of them: threads that wait by spinning would cost a peer several times its time
    on a machine where somebody else wants the cores too.
    """
    os.environ["TQDM_DISABLE"] = "1"
    prepare_environment(RunOrder(run_id="", name="", attempt=1, data="", extra_data_file="", device=order.device))


class Answers:
    """What a contender says to each question."""

    def __init__(self, order: Order):
        prepare(order)
        import torch  # noqa: PLC0415 - finds the environment prepared

        from bench.training import flops  # noqa: PLC0415

        made: Callable[[Order], Contender] = importlib.import_module(order.module).contender
        self._peak, self._torch = flops.matrix_peak, torch
        self._device = order.device_type
        self._imported_mib = memory_mib("VmRSS")
        self._contender = made(order)

    def first_step(self) -> Mapping[str, Any]:
        loss = self._contender.train(1, 0).loss
        return {
            "at": time.monotonic(),
            "loss": loss,
            "threads": self._torch.get_num_threads(),
            "precision": self._contender.precision,
        }

    def train(self, steps: int, warm_up: int) -> Mapping[str, Any]:
        """A block, and the peak of matrix products in the same precision right behind it."""
        gc.collect()
        block = self._contender.train(steps, warm_up)
        return {**asdict(block), "peak": self._peak(self._contender.precision, self._device)}

    def evaluate(self) -> Mapping[str, Any]:
        start = time.perf_counter()
        scores = self._contender.evaluate()
        return {"scores": scores, "seconds": time.perf_counter() - start}

    def memory(self) -> Mapping[str, Any]:
        """At most resident so far, and what of it was there once the libraries were imported."""
        found = {"peak_mib": memory_mib("VmHWM"), "imported_mib": self._imported_mib}
        if self._device == "cuda":
            found["gpu_mib"] = self._torch.cuda.max_memory_allocated() / 2**20
        return found


def main(order: Order) -> None:
    # Libraries print: what they say goes where errors go, and answers have the standard output for themselves.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(what: Mapping[str, Any]) -> None:
        channel.write(json.dumps(what) + "\n")
        channel.flush()

    try:
        answers = Answers(order)
    except ModuleNotFoundError as problem:
        return answer({"missing": f"The package {problem.name} is not installed."})
    answer(answers.first_step())
    for line in sys.stdin:
        question = json.loads(line)
        answer(getattr(answers, question.pop("ask"))(**question))
    return None


if __name__ == "__main__":
    main(order_from(sys.argv[1]))
