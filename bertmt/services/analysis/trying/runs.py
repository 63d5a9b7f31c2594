"""Which of some runs can be tried: those that kept a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertmt.errors import BertmtError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.predict import Model, models_of

MOST_RUNS = 6  # all models are in memory at once, those of an average too


@dataclass(frozen=True)
class TriedRun:
    """A run with its model; of an average those that it averages."""

    run: Run
    models: tuple[Model, ...]


@dataclass(frozen=True)
class Chosen:
    """The runs that can be tried, and by id why others cannot, a sentence each."""

    tried: tuple[TriedRun, ...]
    refused: Mapping[str, str]


def choose_tried(database: Database, runs: Sequence[Run]) -> Chosen:
    """Sort out those that kept no model, and those that are too many."""
    tried: list[TriedRun] = []
    refused: dict[str, str] = {}
    for run in runs:
        try:
            models = tuple(models_of(database, run))
        except BertmtError as problem:
            refused[run.id] = str(problem)
            continue
        if tried and sum(len(each.models) for each in tried) + len(models) > MOST_RUNS:
            refused[run.id] = f"Run {run.id} is left out: {MOST_RUNS} are tried at a time."
        else:
            tried.append(TriedRun(run, models))
    return Chosen(tuple(tried), refused)
