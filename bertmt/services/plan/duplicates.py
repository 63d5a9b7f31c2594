"""Runs that would train again what has finished: said, and left out unless a person wants it."""

import json
from dataclasses import replace

from bertmt.drawing.numbers import named
from bertmt.registry.database import Database
from bertmt.registry.finding import finished_with_digest
from bertmt.registry.records import Run
from bertmt.registry.runs import snapshot_of
from bertmt.services.plan.snapshot import code_digest
from bertmt.services.plan.submit import Plan, PlannedRun


def already_finished(database: Database, run: PlannedRun) -> Run | None:
    """The newest finished run with the same recipe, seed, encoder, data and code, or None.

    Data and encoders are the same where their fingerprints are, wherever they lie. An older run's encoder is not known,
    and so never the same.
    """
    found = finished_with_digest(database, run.recipe.digest())
    return next((each for each in reversed(found) if _is_same(database, each, run)), None)


def _is_same(database: Database, finished: Run, run: PlannedRun) -> bool:
    before = finished.submission
    if json.loads(before.fingerprints_json) != dict(run.fingerprints):
        return False
    if not before.encoder_fingerprints or before.encoder_fingerprints != dict(run.encoder_fingerprints):
        return False
    return snapshot_of(database, finished).code_digest == code_digest()


def without_finished(database: Database, planned: Plan) -> tuple[Plan, list[str]]:
    """The plan without what has finished before, and a sentence about that, if any."""
    found = [(run, already_finished(database, run)) for run in planned.runs]
    names = [f"{run.id} ({run.name}, seed {run.seed})" for _, run in found if run is not None]
    said = []
    if names:
        have = "has" if len(names) == 1 else "have"
        one = ("it is", "this one") if len(names) == 1 else ("they are", "these")
        said.append(
            f"{named(names)} {have} already finished with the same recipe, encoder, data and code, so {one[0]} not "
            f"queued: --seed N trains another seed, --again {one[1]} again."
        )
    return replace(planned, runs=tuple(run for run, before in found if before is None)), said
