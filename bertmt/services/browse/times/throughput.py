"""How fast the runs are that train now."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from bertmt.errors import BertmtError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.run_folder.event_files import tail_lines
from bertmt.run_folder.events import Step, parse_event
from bertmt.run_folder.layout import RunFolder
from bertmt.services.ingest.ingest import folder_of

MOST_EVENTS = 50  # the newest: a speed of now
TAIL_BYTES = 1 << 16  # that hold them, where a run has a few tasks


class Speeds:
    """Steps per second by the newest events of runs, kept until more of these are imported."""

    def __init__(self, database: Database):
        self._database = database
        self._kept: dict[int, tuple[object, float | None]] = {}

    def of(self, runs: Iterable[Run]) -> dict[str, float]:
        """Those of the runs that are running and have made two steps, by id; what lies between two steps but training,
        such as an evaluation, does not count."""
        running = [run for run in runs if run.state is State.RUNNING]
        self._kept = {run.key: self._of(run) for run in running}
        return {run.id: speed for run in running if (speed := self._kept[run.key][1]) is not None}

    def _of(self, run: Run) -> tuple[object, float | None]:
        imported = run.attempt, run.imported.events_attempt, run.imported.events_offset
        kept = self._kept.get(run.key)
        if kept is not None and kept[0] == imported:
            return kept
        speed = None
        with suppress(BertmtError):  # its folder cannot be read: others say so
            speed = _speed(folder_of(self._database, run), run.attempt)
        return imported, speed


def _speed(folder: RunFolder, attempt: int) -> float | None:
    seconds, steps, before = 0.0, 0, None
    for text in tail_lines(folder.events(attempt), MOST_EVENTS, TAIL_BYTES):
        event = parse_event(text.encode("utf-8"))  # None of the first, which may be half a line
        if event is None:
            continue
        at = datetime.fromisoformat(event.at).timestamp()
        if isinstance(event, Step) and before is not None and at >= before:
            seconds, steps = seconds + at - before, steps + 1
        before = at
    return steps / seconds if seconds > 0 else None
