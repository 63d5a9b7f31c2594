"""Finding a run's stored predictions, and the run whose predictions they are set beside."""

from bertmt.errors import NotFoundError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.run_folder.predictions import Predictions
from bertmt.services.browse.baseline import Baselines
from bertmt.tasks.task import Task


def predictions_of(database: Database, run: Run, task: str, epoch: int | None = None) -> Predictions:
    """What a run said about a task's dev split.

    Args:
        epoch: by default the one whose scores are the run's.

    Raises:
        NotFoundError: there are no such predictions; the sentence names those there are.
    """
    number = run.scores.selected_epoch if epoch is None else epoch
    found = None if number is None else stored_predictions.read(database, run.key, task, number)
    if found is None:
        known = epochs_of(database, run, task)
        which = "" if number is None else f" of epoch {number}"
        listed = f": there are those of epoch {', '.join(map(str, known))}" if known else ""
        raise NotFoundError(f"Run {run.id} has no {task} predictions{which}{listed}.")
    return found


def predicted_by(run: Run, task: Task) -> str:
    """What says a number of one of its tasks: "cosine" of two embeddings, "output" of a head, or the mean of both."""
    read = run.recipe.get("pair_input", "separate") if task.pair else "separate"
    if task.has_head or read == "joint":
        return "output"
    return "cosine" if read == "separate" else "mean of cosine and output"


def epochs_of(database: Database, run: Run, task: str) -> list[int]:
    """The epochs whose dev predictions of a task are stored, ascending."""
    return stored_predictions.epochs(database, run.key, task)


def compared_run(database: Database, run: Run) -> Run:
    """The run that another is compared with.

    Raises:
        NotFoundError: there is no baseline, or the run is it.
    """
    baselines = Baselines(database)
    baseline = baselines.of(run)
    if baselines.gone:
        raise NotFoundError(baselines.why_gone)
    if baseline is None or baseline.key == run.key:
        what = f"Run {run.id} is the baseline itself" if baseline else "There is no baseline of equal scale"
        raise NotFoundError(f"{what}; `bertmt baseline RUN` chooses one.")
    return baseline
