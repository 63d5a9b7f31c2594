"""Finished runs with predictions that a test writes down."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from call_types import AddRun

from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.run_folder.predictions import Predictions
from bertmt.tasks.examples import Example, fingerprint


@pytest.fixture
def predicted(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """A finished run with these predictions of one task: `predicted("sst", EXAMPLES, probabilities)`."""

    def make(task: str, examples: Sequence[Example], probabilities: Any, **values: Any) -> Run:
        run = add_run(preset_name="baseline", **values)
        mark = fingerprint(examples)
        with database.immediate():
            stored_predictions.store_split(database, mark, task, "dev", examples)
            array = np.array(probabilities, dtype=np.float32)
            stored_predictions.store(database, run.key, Predictions(task, "dev", 0, mark, array))
            database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
            database.execute("UPDATE summaries SET selected_epoch = 0 WHERE run = ?", (run.key,))
        return run_by_key(database, run.key)

    return make
