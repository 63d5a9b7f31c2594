"""The paper beside the runs of a registry: figures and claims, and what of them is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.recipe.reported import Figure
from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs
from bertmt.services.analysis.paper.claims import JudgedClaim, judged_claims
from bertmt.services.analysis.paper.figures import FoundFigure, found_figures
from bertmt.services.analysis.paper.missing import Missing, claims_of, missing
from bertmt.services.analysis.paper.runs import PaperRuns
from bertmt.services.browse.listing import list_runs


@dataclass(frozen=True)
class Paper:
    """What our runs say of figures, and of the claims about them."""

    figures: tuple[FoundFigure, ...]
    claims: tuple[JudgedClaim, ...]


def paper_of(database: Database, chosen: Sequence[Figure], query: str = "") -> Paper:
    """The paper beside our runs.

    Args:
        query: only runs that match, as in `bertmt runs --filter`; "": all.

    Raises:
        UsageError: the query is not understood.
    """
    runs = [row.run for row in list_runs(database, query)] if query else all_runs(database)
    return Paper(tuple(found_figures(database, runs, chosen)), judged_claims(PaperRuns(runs), claims_of(chosen)))


def missing_of(
    database: Database | None, chosen: Sequence[Figure], seeds: int | None, values: Mapping[str, Any], folder: Path
) -> Missing:
    """As `missing`, of the runs of a registry; None: there is none yet."""
    return missing(all_runs(database) if database is not None else (), chosen, seeds, values, folder)
