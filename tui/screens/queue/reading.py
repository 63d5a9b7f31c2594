"""What the queue's screen reads from the registry, and which of the runs have a time."""

from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.queue_times import kinds_of
from bertmt.services.browse.run_formatting import kept_share
from bertmt.services.lifecycle.reordering import in_order
from bertmt.services.lifecycle.startable import awaited_runs, obstacles
from tui.registry_lane import Session
from tui.widgets.machine_strip import Surroundings, surroundings_of

Judged = tuple[int, str, str]  # a run as it was judged: its key, its recipe, its data
MOST_TIMED = 300  # of the waiting runs, the first: nobody plans further ahead


@dataclass(frozen=True)
class Queued:
    """What one load brings.

    Attributes:
        stopped: those that are lost or paused.
        obstacles: why runs that wait will not start by themselves, by their keys.
        finished: how many runs have finished, by which times are judged.
    """

    running: list[Run]
    stopped: list[Run]
    waiting: list[Run]
    obstacles: Mapping[int, str]
    counts: dict[State, int]
    surroundings: Surroundings
    finished: int


def judged(run: Run) -> Judged:
    """A run that is edited while it waits has to be judged again."""
    return run.key, run.submission.recipe_json, run.submission.data


def timed(queued: Queued) -> list[Run]:
    """The runs that are told how long they take."""
    return [*queued.running, *queued.stopped, *queued.waiting[:MOST_TIMED]]


def rest_of(run: Run, seconds: float | None) -> float | None:
    """What is left of a run that goes on from a checkpoint; a running one says that itself."""
    share = None if run.state is State.RUNNING else kept_share(run)
    return seconds if seconds is None or share is None else seconds * (1 - share)


def read(session: Session) -> Queued:
    """On the registry's thread: what runs, is lost or paused, and what waits, with what stands in its way."""
    session.runs.refresh()
    running, lost, paused = (
        [row.run for row in session.runs.rows(f"state:{state}")] for state in (State.RUNNING, State.LOST, State.PAUSED)
    )
    counts, surroundings = session.runs.counts(), surroundings_of(session)
    waiting = [row.run for row in session.runs.rows("state:queued | state:held")]
    found = obstacles([*waiting, *awaited_runs(session.database, waiting)], kinds_of(surroundings.workload))
    return Queued(
        running, [*lost, *paused], in_order(waiting), found, counts, surroundings, counts.get(State.FINISHED, 0)
    )
