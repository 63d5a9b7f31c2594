"""Which tasks take part in which step, where epochs end (decisions 6 and 7), and how long a run is in steps.

Arithmetic alone: the child trains by it, and services tell by it beforehand how long a run is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.recipe.recipe import Recipe


@dataclass(frozen=True)
class StepPlan:
    """The steps of training as one sequence, which repeats after a round; epochs only cut it.

    So a cap on an epoch does not change what is trained: the next epoch goes on where the last stopped.

    Attributes:
        round: the tasks that have a batch in each step, until the sequence starts over. With epoch="longest" it
            is one pass of the longest task; with epoch="each" one pass of every task.
        steps_per_epoch: a whole round, or the cap.
    """

    round: tuple[tuple[str, ...], ...]
    steps_per_epoch: int
    epochs: int

    @property
    def steps(self) -> int:
        """Steps of all epochs."""
        return self.steps_per_epoch * self.epochs

    @property
    def batches(self) -> int:
        """Task batches of all epochs."""
        return self.batches_in(self.steps)

    def batches_in(self, steps: int) -> int:
        """Task batches of the first so many steps, what the time of a run goes by."""
        whole, rest = divmod(steps, len(self.round))
        return whole * sum(map(len, self.round)) + sum(map(len, self.round[:rest]))

    def tasks_at(self, step: int) -> tuple[str, ...]:
        """The tasks of a training step, counted from 0."""
        return self.round[step % len(self.round)]

    def passes_per_epoch(self, batches_per_pass: Mapping[str, int]) -> dict[str, float]:
        """How often an epoch uses each task's data, on average."""
        epochs_per_round = len(self.round) / self.steps_per_epoch
        return {
            task: sum(task in tasks for tasks in self.round) / batches / epochs_per_round
            for task, batches in batches_per_pass.items()
        }


def plan_steps(recipe: Recipe, batches_per_pass: Mapping[str, int]) -> StepPlan:
    """The plan of a recipe.

    A turn takes a batch of each task, in one step (schedule="together") or one step each ("alternate"); with
    epoch="each" a task whose pass is used up sits out until the longest one's is.
    """
    longest = max(batches_per_pass.values())
    steps: list[tuple[str, ...]] = []
    for turn in range(longest):
        present = tuple(
            task for task, batches in batches_per_pass.items() if recipe.epoch == "longest" or turn < batches
        )
        steps += [present] if recipe.schedule == "together" else [(task,) for task in present]
    return StepPlan(tuple(steps), capped(recipe, len(steps)), recipe.epochs)


def capped(recipe: Recipe, steps: int) -> int:
    """The steps of an epoch, of training or pretraining, under the recipe's cap."""
    return min(recipe.epoch_steps or steps, steps)


def batch_count(recipe: Recipe, examples: int) -> int:
    """The batches of a pass over so many examples; the last may be smaller."""
    return -(-examples // recipe.batch_size)


def evaluation_count(recipe: Recipe, epochs: int) -> int:
    """How often a run of so many epochs is evaluated: before the first step, every so many epochs, and at its end."""
    return 1 + -(-epochs // recipe.evaluate_every)
