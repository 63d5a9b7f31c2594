"""What takes longer than a blink of the paper beside our runs: intervals, verdicts, pictures, and what to queue.

The services are imported when they are asked: they bring scipy, which the first picture need not wait for.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.plan.estimates import estimate
from bertmt.services.plan.submit import Plan
from tui.registry_lane import Session
from tui.screens.paper.columns import FigureLine

if TYPE_CHECKING:
    from bertmt.recipe.reported import Claim
    from bertmt.services.analysis.paper.figures import FoundFigure
    from bertmt.services.analysis.paper.looking import JudgedRows


@dataclass(frozen=True)
class Judged:
    """What was found; None: nothing yet. `known`: what it is of; where that is equal nothing would be found anew."""

    known: Hashable = None
    found: "JudgedRows | None" = None

    def pictures_of(self, preset: str) -> "list[FoundFigure]":
        """The pictures that a model stands in."""
        pictures = self.found.pictures.values() if self.found is not None else ()
        return [each for each in pictures if preset in each.figure.models]


def judge(session: Session, runs: Sequence[Run], lines: Sequence[FigureLine], before: Judged) -> Judged:
    """On the registry's thread: all of it, of the runs that the lines are of; as before where they are the same."""
    finished = frozenset((run.key, run.scores.selected_epoch) for run in runs if run.state is State.FINISHED)
    known = finished, tuple(line.entry.runs[0].key if line.entry else None for line in lines)
    if known == before.known:
        return before
    from bertmt.services.analysis.paper.looking import judged_rows  # noqa: PLC0415 - scipy

    return Judged(known, judged_rows(session.database, runs, [(line.row, line.entry) for line in lines]))


def with_cells(lines: Sequence[FigureLine], judged: Judged) -> list[FigureLine]:
    """The lines with how their scores stand to the paper's."""
    cells = judged.found.cells if judged.found is not None else {}
    return [replace(line, cells=cells.get(line.key, ())) for line in lines]


@dataclass(frozen=True)
class Wanted:
    """What of the paper is to be queued.

    Attributes:
        preset: a model with the claims about it; None: no model.
        claim: that claim alone; None with `preset` None: everything.
        like: finished runs, the newest of which tells the scale.
    """

    preset: str | None
    claim: "Claim | None"
    like: Sequence[Run]


def plan_missing(session: Session, wanted: Wanted, folder: Path) -> tuple[Plan | None, list[str]]:
    """On the registry's thread: the runs that are missing; how many, at which scale, and how long they take."""
    from bertmt.services.analysis.paper.missing import (  # noqa: PLC0415 - scipy
        SEEDS_WANTED,
        claims_wanted,
        missing,
        values_like,
    )

    _, arms = claims_wanted(wanted.preset, wanted.claim)
    values = values_like(wanted.like)
    session.runs.refresh()
    runs = [row.run for row in session.runs.rows()]
    found = missing(runs, arms, SEEDS_WANTED, values, folder)
    if found.plan is None:
        return None, [found.sentence()]
    scale = ", ".join(f"{name}={value}" for name, value in values.items())
    said = f"As the runs here: {scale}." if scale else "At the scale of bertmt.toml, as no run here tells another."
    takes = estimate(session.database, [each.recipe for each in found.plan.runs]).sentence()
    return found.plan, [found.sentence(), said, takes]
