"""Which epochs can be looked at, and why there are none."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from call_types import AddRun

from bertmt.errors import NotFoundError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry import records, summaries
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.run_folder.predictions import Predictions
from bertmt.services.analysis.evaluations import Evaluated, evaluated_tasks

TASKS = ("sst", "para")


@pytest.fixture
def store(database: Database) -> Callable[..., Run]:
    """Store predictions of SST in these epochs, with scores, and select one; the run as it is then."""

    def stored(run: Any, epochs: Any, selected: Any, state: str = "finished") -> Run:
        with database.immediate():
            for epoch in epochs:
                values = np.zeros((1, 5), dtype=np.float32)
                stored_predictions.store(database, run.key, Predictions("sst", "dev", epoch, "print", values))
                metrics = {"sst": {"accuracy": epoch / 10}}
                found = records.Evaluation(epoch, epoch, None, None, {"sst": epoch / 10}, metrics)
                summaries.store_evaluation(database, run.key, found)
            database.execute("UPDATE runs SET state = ? WHERE key = ?", (state, run.key))
            database.execute("UPDATE summaries SET selected_epoch = ? WHERE run = ?", (selected, run.key))
        return run_by_key(database, run.key)

    return stored


def test_epochs_come_with_their_scores_and_the_selected_one(
    database: Database, add_run: AddRun, store: Callable[..., Run]
) -> None:
    found = evaluated_tasks(database, store(add_run(), [0, 1, 3], 1), "A matrix", TASKS)
    assert found == {"sst": Evaluated("sst", (0, 1, 3), (0.0, 0.1, 0.3), 1, is_final=True, steps=(0, 1, 3))}
    assert found["sst"].score_at(3) == 0.3 and found["sst"].score_at(2) is None


def test_without_predictions_of_the_selected_epoch_the_newest_stands_in(
    database: Database, add_run: AddRun, store: Callable[..., Run]
) -> None:
    found = evaluated_tasks(database, store(add_run(), [0, 1], 2, "running"), "A matrix", TASKS)
    assert found["sst"].selected == 1 and not found["sst"].is_final


def test_the_next_epoch_is_the_next_that_is_stored_and_ends_are_ends() -> None:
    evaluated = Evaluated("sst", (0, 1, 3), (None,) * 3, 3, True)
    assert [evaluated.neighbour(1, 1), evaluated.neighbour(3, 1), evaluated.neighbour(0, -1)] == [3, 3, 0]
    assert evaluated.neighbour(1, -9) == 0


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("queued", "is queued: predictions appear once it has been evaluated"),
        ("running", "has not been evaluated yet"),
        ("failed", "left no predictions: it ended (failed) before"),
    ],
)
def test_a_run_without_predictions_says_why_there_are_none(
    database: Database, add_run: AddRun, store: Callable[..., Run], state: str, said: str
) -> None:
    with pytest.raises(NotFoundError, match=re.escape(said)):
        evaluated_tasks(database, store(add_run(), [], None, state), "A matrix", TASKS)


def test_a_run_that_trained_other_tasks_says_which(database: Database, add_run: AddRun) -> None:
    run = add_run(tasks=["sts"])
    with pytest.raises(NotFoundError, match=r"^A matrix needs another task, but run \w+ trained STS only\.$"):
        evaluated_tasks(database, run, "A matrix", [])
