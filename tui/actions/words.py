"""What is said of runs that something is done to, and what is wrong with what a person types for them."""

from collections.abc import Sequence

from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import cut_name
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.registry.states import ENDED
from bertmt.services.names import check_name, check_tag
from tui.bindings import bound

MOST_LISTED = 6
MOST_OF_A_NAME = 36  # cells in a title


def brought_back(runs: Sequence[Run]) -> str:
    """What is said once they are brought back; `runs` as they were before they were removed."""
    return (
        "restored" if all(run.state in ENDED for run in runs) else "restored; runs that were waiting are now cancelled"
    )


def listed(runs: Sequence[Run]) -> list[str]:
    """The first few of the runs, a line each; of one, which the title names, its state."""
    if len(runs) == 1:
        return [f"It is {runs[0].state}."]
    lines = [f"  {run.id}  {run.name} (seed {run.seed}), {run.state}" for run in runs[:MOST_LISTED]]
    return [*lines, *([f"  and {len(runs) - MOST_LISTED} more"] if len(runs) > MOST_LISTED else [])]


def the_runs(runs: Sequence[Run]) -> str:
    """The runs in a title: one by its name, id and seed, several by their number."""
    if len(runs) != 1:
        return counted(len(runs), "run")
    [run] = runs
    return f"{cut_name(safe_text(run.name), MOST_OF_A_NAME)} ({run.id}, seed {run.seed})"


def instead_of_undoing(binding: str, does: str) -> str:
    """Which key does what undoing cannot."""
    return f"{bound(binding)} {does}."


def tag_problem(text: str) -> str | None:
    """What is wrong with a tag to give, or with one to take away behind a minus."""
    try:
        if text.removeprefix("-"):
            check_tag(text.removeprefix("-"))
    except BertmtError as problem:
        return str(problem)
    return None


def name_problem(name: str) -> str | None:
    """What is wrong with a name of a run."""
    try:
        check_name(name)
    except BertmtError as problem:
        return str(problem)
    return None
