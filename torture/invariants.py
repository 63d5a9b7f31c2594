"""What must be true after every fault, once a fresh worker has had its turn."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, transitions
from bertmt.registry.states import LEGAL_TRANSITIONS, Actor, State
from bertmt.run_folder.event_files import attempts, read_events
from bertmt.run_folder.events import Started
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.upkeep.garbage import find_garbage
from torture.walk import Expected

# Seconds of a clock: no two trainings have the same.
WALL_CLOCK = {"tokens_per_second"}


def violations(database: Database, expected: Mapping[str, Expected], clock_jumps: bool = False) -> list[str]:
    """All that is wrong with a registry and its run folders, a sentence each.

    Args:
        expected: by run id, what a finished run must have left.
        clock_jumps: times may go backwards.
    """
    found = [*_of_the_file(database)]
    freed = {each.path for each in find_garbage(database)}
    for run in all_runs(database):
        found += [f"{run.id}: {each}" for each in _of_moves(database, run)]
        found += [f"{run.id}: {each}" for each in _of_attempts(database, run, clock_jumps)]
        found += [f"{run.id}: {each}" for each in _of_points(database, run, expected[run.id])]
        if run.state is State.FINISHED:
            found += [f"{run.id}: {each}" for each in _of_predictions(database, run, expected[run.id])]
            found += [
                f"{run.id}: {each}" for each in _of_the_folder(folder_of(database, run).path, expected[run.id], freed)
            ]
    return found


def _of_the_file(database: Database) -> Iterator[str]:
    said = [row[0] for row in database.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        yield f"integrity_check: {said[:3]}"
    broken = database.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        yield f"foreign_key_check: {broken[:3]}"


def _of_moves(database: Database, run: Run) -> Iterator[str]:
    state: str | None = None
    attempt = 0
    for each in transitions(database, run.key):
        if each.state_before != state:
            yield f"its history goes from {state} to a transition from {each.state_before}"
        is_note = each.state_before == each.state_after
        legal = (
            LEGAL_TRANSITIONS.get((State(each.state_before), State(each.state_after))) if each.state_before else None
        )
        if each.state_before and not is_note and Actor(each.actor) not in (legal or ()):
            yield f"illegal transition {each.state_before} to {each.state_after} by {each.actor}"
        if not each.reason.strip():
            yield f"a transition to {each.state_after} without a reason"
        # An attempt is claimed by a worker, or told by its folder after a repair.
        told = each.actor == Actor.IMPORT and each.state_after == State.RUNNING
        claimed = (each.actor == Actor.CLAIM or told) and not is_note
        if each.attempt != attempt + claimed:
            yield f"attempt {each.attempt} follows on {attempt} in a transition to {each.state_after}"
        state, attempt = each.state_after, each.attempt
    if state != run.state or attempt != run.attempt:
        yield f"its history ends {state}, attempt {attempt}; it is {run.state}, attempt {run.attempt}"


def _of_attempts(database: Database, run: Run, clock_jumps: bool) -> Iterator[str]:
    """One writer for each attempt, and no two at once."""
    folder, last, pids = folder_of(database, run), "", set()
    for attempt in attempts(folder.path):
        if attempt > run.attempt:
            yield f"events of attempt {attempt}, but it had {run.attempt}"
        events, _, _ = read_events(folder.events(attempt))
        started = [event for event in events if isinstance(event, Started)]
        if len(started) > 1:
            yield f"attempt {attempt} was started {len(started)} times"
        for event in started:
            if event.attempt != attempt or event.pid in pids:
                yield f"attempt {attempt} says that it is {event.attempt}, by process {event.pid}"
            pids.add(event.pid)
        if events and not clock_jumps:
            if events[0].at < last:
                yield f"attempt {attempt} began at {events[0].at}, the one before it was at work until {last}"
            last = events[-1].at


def _of_points(database: Database, run: Run, expected: Expected) -> Iterator[str]:
    """Every point of a finished run; of another, those there are, and none missing among the acknowledged."""
    stored = {name: dict(points) for name, points in metrics.read(database, run.key).items()}
    for name in sorted((set(stored) | set(expected.points)) - WALL_CLOCK):
        there, wanted = stored.get(name, {}), expected.points.get(name, {})
        if run.state is not State.FINISHED:
            wanted = {step: value for step, value in wanted.items() if there and step <= max(there)}
        missing, extra = sorted(wanted.keys() - there.keys()), sorted(there.keys() - wanted.keys())
        wrong = sorted(step for step in wanted.keys() & there.keys() if wanted[step] != there[step])
        for word, steps in (("missing", missing), ("too many", extra), ("wrong", wrong)):
            if steps:
                yield f"{run.state}: {len(steps)} points of {name} {word}, the first at step {steps[0]}"
    if run.state is State.FINISHED:
        repeated = database.execute(
            "SELECT count(*) - count(DISTINCT epoch) FROM evaluations WHERE run = ?", (run.key,)
        ).fetchone()[0]
        if repeated:
            yield f"{repeated} evaluations twice"


def _of_predictions(database: Database, run: Run, expected: Expected) -> Iterator[str]:
    rows = database.execute("SELECT task, epoch, probabilities FROM predictions WHERE run = ?", (run.key,))
    stored = {(task, epoch): blob for task, epoch, blob in rows}
    for task, epoch in sorted(stored.keys() | expected.predictions.keys()):
        if stored.get((task, epoch)) != expected.predictions.get((task, epoch)):
            word = "missing" if (task, epoch) not in stored else "not what they should be"
            yield f"predictions of {task} in epoch {epoch} are {word}"


def _of_the_folder(folder: Path, expected: Expected, freed: Collection[Path]) -> Iterator[str]:
    leftovers = sorted(path.name for path in folder.rglob(".*"))
    if leftovers:
        yield f"temporary files are left: {', '.join(leftovers[:5])}"
    # Of a child that was killed when it had just finished: `bertmt gc` finds them.
    if (folder / "checkpoints").exists() and folder / "checkpoints" not in freed:
        yield "its checkpoints are left, though it finished, and `bertmt gc` does not know"
    for name, content in expected.files.items():
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            yield f"{name} is not what it should be"
