"""One attempt at a run: threads, composition, training."""

import time

import torch

from bertmt.bounded_files import MOST_JSON, read_text
from bertmt.recipe.loading import from_json
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.training.checkpoints.checkpointing import Checkpointing
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.composition import compose
from bertmt.training.loop import train
from bertmt.training.memory import reuse_freed_memory
from bertmt.training.reporting import Reporter
from bertmt.training.seeding import seed_dropout
from bertmt.training.stopping import StopFlag
from bertmt.training.timing import Stopwatch


def train_attempt(
    folder: RunFolder, order: RunOrder, events: EventWriter, stop: StopFlag, progress: Progress, started: float
) -> None:
    """Train a run from its start, or its newest checkpoint, to its `finished` event.

    Args:
        started: when the process began its work, by `time.monotonic`.

    Raises:
        BertmtError: what a person can mend.
        StoppedError: somebody asked.
    """
    reuse_freed_memory()
    if order.threads:
        torch.set_num_threads(order.threads)
    recipe = from_json(read_text(folder.recipe, MOST_JSON), folder.read_tasks())
    deterministic = recipe.deterministic and order.device != "cpu"
    if torch.are_deterministic_algorithms_enabled() != deterministic:  # the call imports torch's compiler, for a second
        torch.use_deterministic_algorithms(deterministic)
    run = compose(folder, order, recipe, stop)
    state = TrainingState(run, progress, Stopwatch())
    checkpointing = Checkpointing(state, folder.checkpoints(order.checkpoint_dir), events, order.checkpoint_step)
    state.model.train()
    seed_dropout(recipe.seed)
    checkpointing.resume()
    state.stopwatch.add("load", time.monotonic() - started)
    train(state, Reporter(state, events, order.attempt), checkpointing, stop)
