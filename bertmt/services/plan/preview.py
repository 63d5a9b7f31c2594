"""What a person should see of planned runs before they are queued: how long they take, and which ran before."""

from collections.abc import Iterable
from dataclasses import dataclass

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.plan.duplicates import already_finished
from bertmt.services.plan.estimates import Estimate, estimate
from bertmt.services.plan.submit import Plan

MOST_LOOKED_UP = 100  # of the planned runs


@dataclass(frozen=True)
class PlanPreview:
    """A plan, its time, and the finished runs that it would repeat.

    Attributes:
        finished_before: with the same recipe, seed and data as one of the first `MOST_LOOKED_UP` planned runs.
    """

    plan: Plan
    estimate: Estimate
    finished_before: tuple[Run, ...]


def preview(database: Database, planned: Plan, past: Iterable[Run] | None = None) -> PlanPreview:
    """Look the planned runs up in a registry.

    Args:
        past: runs to judge the time by; the registry's if None.
    """
    recipes = [each.recipe for each in planned.runs]
    found = [already_finished(database, each) for each in planned.runs[:MOST_LOOKED_UP]]
    return PlanPreview(planned, estimate(database, recipes, past), tuple(run for run in found if run is not None))


def preview_of_first(planned: Plan) -> PlanPreview:
    """The preview where there is no registry yet, and so nothing to look up."""
    return PlanPreview(planned, Estimate((None,) * len(planned.runs), (), ()), ())
