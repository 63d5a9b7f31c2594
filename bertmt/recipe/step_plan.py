"""Which tasks take part in which step, where epochs end (decisions 6 and 7), and how long a run is in steps.

Arithmetic alone: the child trains by it, and services tell by it beforehand how long a run is.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.recipe.recipe import Recipe


@dataclass(frozen=True)
class StepPlan:
    """The steps of training as one sequence of rounds, which starts over after the last; epochs only cut it.

    So a cap on an epoch does not change what is trained: the next epoch goes on where the last stopped.

    Attributes:
        rounds: the tasks that have a batch in each step; all rounds are of one length. There is one, which repeats:
            with epoch="longest" a pass of the longest task, with epoch="each" of every task. Where tasks are sampled
            each epoch has its own.
        steps_per_epoch: a whole round, or the cap.
    """

    rounds: tuple[tuple[tuple[str, ...], ...], ...]
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
        length = len(self.rounds[0])
        whole, rest = divmod(steps, length)
        sizes = [sum(map(len, each)) for each in self.rounds]
        before = sum(sizes) * (whole // len(sizes)) + sum(sizes[: whole % len(sizes)])
        return before + sum(map(len, self.rounds[whole % len(sizes)][:rest]))

    def tasks_at(self, step: int) -> tuple[str, ...]:
        """The tasks of a training step, counted from 0."""
        turn, place = divmod(step, len(self.rounds[0]))
        return self.rounds[turn % len(self.rounds)][place]

    def passes_per_epoch(self, batches_per_pass: Mapping[str, int]) -> dict[str, float]:
        """How often an epoch uses each task's data, on average."""
        steps = [tasks for each in self.rounds for tasks in each]
        epochs = len(steps) / self.steps_per_epoch
        return {
            task: sum(task in tasks for tasks in steps) / batches / epochs for task, batches in batches_per_pass.items()
        }


def plan_steps(recipe: Recipe, batches_per_pass: Mapping[str, int]) -> StepPlan:
    """The plan of a recipe.

    With sampling="together" a turn takes a batch of each task, in one step (schedule="together") or one step each
    ("alternate"); with epoch="each" a task whose pass is used up sits out until the longest one's is. Else each step is
    of one task, and an epoch has as many as one pass of every task has batches.
    """
    if recipe.sampling != "together":
        return _sampled(recipe, batches_per_pass)
    longest = max(batches_per_pass.values())
    steps: list[tuple[str, ...]] = []
    for turn in range(longest):
        present = tuple(
            task for task, batches in batches_per_pass.items() if recipe.epoch == "longest" or turn < batches
        )
        steps += [present] if recipe.schedule == "together" else [(task,) for task in present]
    return StepPlan((tuple(steps),), capped(recipe, len(steps)), recipe.epochs)


def _sampled(recipe: Recipe, batches_per_pass: Mapping[str, int]) -> StepPlan:
    """Steps of one task each, tasks in proportion to (their batches)^α, in an order that the seed gives.

    α is 1, or with annealing 1 − 0.8 (e − 1)/(E − 1) in epoch e of E: towards the end small tasks have nearly as many
    steps as large ones. Source: Stickland and Murray (2019), "BERT and PALs", section 3.2. They draw each step; here
    the shares are exact, so that no task is missed by chance: what rounding keeps from a task in one epoch, it gets in
    a later one.
    """
    length = capped(recipe, sum(batches_per_pass.values()))
    owed = dict.fromkeys(batches_per_pass, 0.0)
    rounds = []
    for epoch in range(recipe.epochs):
        alpha = 1.0
        if recipe.sampling == "annealed" and recipe.epochs > 1:
            alpha -= 0.8 * epoch / (recipe.epochs - 1)
        counts = _shares({task: batches**alpha for task, batches in batches_per_pass.items()}, length, owed)
        steps = [(task,) for task, count in counts.items() for _ in range(count)]
        random.Random(f"{recipe.seed}/sampling/{epoch}").shuffle(steps)
        rounds.append(tuple(steps))
    return StepPlan(tuple(rounds), length, recipe.epochs)


def _shares(weights: Mapping[str, float], total: int, owed: dict[str, float]) -> dict[str, int]:
    """`total` in proportion to the weights, by largest remainders.

    Args:
        owed: what rounding has kept from each task so far; brought up to date.
    """
    whole = sum(weights.values())
    exact = {task: total * weight / whole for task, weight in weights.items()}
    counts = {task: int(share) for task, share in exact.items()}
    for task, count in counts.items():
        owed[task] += exact[task] - count
    for _ in range(total - sum(counts.values())):
        most = max(owed, key=owed.__getitem__)
        counts[most] += 1
        owed[most] -= 1
    return counts


def capped(recipe: Recipe, steps: int) -> int:
    """The steps of an epoch, of training or pretraining, under the recipe's cap."""
    return min(recipe.epoch_steps or steps, steps)


def batch_count(recipe: Recipe, examples: int) -> int:
    """The batches of a pass over so many examples; the last may be smaller."""
    return -(-examples // recipe.batch_size)


def evaluation_count(recipe: Recipe, epochs: int) -> int:
    """How often a run of so many epochs is evaluated: before the first step, every so many epochs, and at its end."""
    return 1 + -(-epochs // recipe.evaluate_every)
