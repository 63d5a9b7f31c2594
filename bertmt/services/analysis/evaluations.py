"""Which epochs of a run can be looked at in a task, with their scores: what a scrubber over epochs goes through."""

from collections.abc import Collection
from dataclasses import dataclass

from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import evaluations
from bertmt.registry.states import ENDED, WAITING, State
from bertmt.services.analysis.run_predictions import epochs_of


@dataclass(frozen=True)
class Evaluated:
    """The epochs of one task whose dev predictions are stored.

    Attributes:
        epochs: ascending, at least one; epoch 0 is before any training.
        scores: of each of them, STS as ρ; None where one is undefined.
        selected: the epoch whose scores are the run's; while it runs, the newest.
        is_final: whether the run has finished, so that `selected` stays.
    """

    task: str
    epochs: tuple[int, ...]
    scores: tuple[float | None, ...]
    selected: int
    is_final: bool

    def score_at(self, epoch: int) -> float | None:
        """The score of an epoch; None where it has none."""
        return dict(zip(self.epochs, self.scores, strict=True)).get(epoch)

    def neighbour(self, epoch: int, step: int) -> int:
        """The epoch that is so many places farther on; at an end the last there is."""
        place = min(range(len(self.epochs)), key=lambda index: abs(self.epochs[index] - epoch)) + step
        return self.epochs[max(0, min(place, len(self.epochs) - 1))]


def evaluated_tasks(database: Database, run: Run, subject: str, tasks: Collection[str]) -> dict[str, Evaluated]:
    """What is stored of a run in some tasks, by task, in the order of `tasks`; at least one.

    Args:
        subject: what they are needed for, as the first words of a sentence.
        tasks: of the run.

    Raises:
        NotFoundError: the run has no predictions of them, or there are none; the sentence says which.
    """
    scores = {each.epoch: each for each in evaluations(database, run)}
    found: dict[str, Evaluated] = {}
    for task in tasks:
        epochs = tuple(epochs_of(database, run, task))
        if epochs:
            values = tuple(scores[epoch].score(task) if epoch in scores else None for epoch in epochs)
            selected = run.scores.selected_epoch if run.scores.selected_epoch in epochs else epochs[-1]
            found[task] = Evaluated(task, epochs, values, selected, run.state is State.FINISHED)
    if not found:
        raise NotFoundError(_why_none(run, subject, tasks))
    return found


def _why_none(run: Run, subject: str, tasks: Collection[str]) -> str:
    if not tasks:
        trained = ", ".join(task.title for task in run.tasks.values())
        return f"{subject} needs another task, but run {run.id} trained {trained} only."
    if run.state in WAITING:
        return f"Run {run.id} is {run.state}: predictions appear once it has been evaluated."
    if run.state in ENDED:
        return f"Run {run.id} left no predictions: it ended ({run.state}) before its first evaluation."
    return f"Run {run.id} has not been evaluated yet; its predictions appear here once it has."
