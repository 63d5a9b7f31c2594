"""One attempt at a run: threads, composition, training."""

import time

import torch

from bertmt.recipe.loading import from_json
from bertmt.run_folder.events import EventWriter
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.training.composition import compose
from bertmt.training.loop import train
from bertmt.training.memory import reuse_freed_memory
from bertmt.training.progress import Progress
from bertmt.training.reporting import Reporter
from bertmt.training.stopping import StopFlag
from bertmt.training.timing import Stopwatch


def train_attempt(
    folder: RunFolder, order: RunOrder, events: EventWriter, stop: StopFlag, progress: Progress, started: float
) -> None:
    """Train a run from its start to its `finished` event.

    Args:
        started: when the process began its work, by `time.monotonic`.

    Raises:
        BertmtError: what a person can mend.
        StoppedError: somebody asked.
    """
    reuse_freed_memory()
    if order.threads:
        torch.set_num_threads(order.threads)
    recipe = from_json(folder.recipe.read_text(encoding="utf-8"))
    run = compose(folder, order, recipe, stop)
    stopwatch = Stopwatch()
    stopwatch.add("load", time.monotonic() - started)
    train(run, Reporter(run, events, order.attempt, stopwatch, progress), stop)
