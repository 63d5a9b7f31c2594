"""Which of some runs can be tried: those that kept a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt.errors import BertmtError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.predict import folder_with_model

MOST_RUNS = 6  # all models are in memory at once


@dataclass(frozen=True)
class TriedRun:
    """A run with its model; `allowed` are the digests of a user's own code that may be run."""

    run: Run
    folder: Path
    allowed: tuple[str, ...]


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
            folder, allowed = folder_with_model(database, run)
        except BertmtError as problem:
            refused[run.id] = str(problem)
            continue
        if len(tried) == MOST_RUNS:
            refused[run.id] = f"Run {run.id} is left out: {MOST_RUNS} are tried at a time."
        else:
            tried.append(TriedRun(run, folder, allowed))
    return Chosen(tuple(tried), refused)
