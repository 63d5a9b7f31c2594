"""What stands beside the rows on screen and takes time to find out: the course of their scores, and the verdicts.

Only of the rows that are seen: of 10,000 runs nobody waits for the others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any

from bertmt.drawing.numbers import difference, score
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line, plain
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.baseline import scale_key
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_formatting import begins_anew
from tui.host import Host
from tui.registry_lane import Session
from tui.widgets.tables.table import Table

if TYPE_CHECKING:
    from bertmt.services.analysis.judgements import Judgement

MARK_OF_VERDICT = {"better": Span("▲", "good"), "worse": Span("▼", "bad"), "undecided": Span("≈", "dim")}
COURSE_CELLS = 8
PAUSE_SECONDS = 0.05  # of keys, before a verdict is found out: while a list is scrolled none is
Key = tuple[object, ...]


class Beside:
    """What is known so far; a verdict is found out once for the predictions that it is about."""

    def __init__(self) -> None:
        self.ascii_only = False
        self._judgements: dict[Key, Judgement | None] = {}
        self._floors: dict[Key, tuple[int, float | None]] = {}  # and how many runs had finished then
        self._courses: dict[int, tuple[Run, str]] = {}  # by key, as they were when the run was as it is here

    def lacks_course(self, run: Run) -> bool:
        """Whether its course is not known, or was read before the run became what it is."""
        known = self._courses.get(run.key)
        return not begins_anew(run) and (known is None or known[0] is not run)

    def read_courses(self, runs: Iterable[Run]) -> Callable[[Session], None]:
        """What the registry's thread does for the courses of runs."""
        asked = list(runs)

        def read(session: Session) -> None:
            from bertmt.drawing.charts.sparkline import sparkline  # noqa: PLC0415 - numpy: 0.1 s of every start
            from bertmt.services.browse.curves import courses_of  # noqa: PLC0415

            found = courses_of(session.database, asked)
            for run in asked:
                self._courses[run.key] = run, plain(sparkline(found.get(run.key, ()), COURSE_CELLS, self.ascii_only))

        return read

    def judge(self, row: Row) -> Callable[[Session], None]:
        """What a thread of its own does for a verdict; what it found is kept even if nobody waits any more."""

        def read(session: Session) -> None:
            from bertmt.services.analysis.groups.noise import noise_floors  # noqa: PLC0415 - scipy: 0.2 s of every start
            from bertmt.services.analysis.judgements import judgement_of  # noqa: PLC0415

            key = _key(row)
            if row.baseline is not None and key not in self._judgements:
                self._judgements[key] = judgement_of(session.database, row.run, row.baseline)
            judgement = self._judgements.get(key)
            if judgement is None:
                return
            session.runs.refresh()
            scale, finished = _scale(row.run, judgement), session.runs.counts().get(State.FINISHED, 0)
            if scale not in self._floors or self._floors[scale][0] != finished:
                found = noise_floors(session.runs, row.run, [judgement.score]).get(judgement.score)
                self._floors[scale] = finished, found.difference if found is not None else None

        return read

    def _floor(self, run: Run, judgement: "Judgement") -> float | None:
        """How far apart two seeds of one recipe are in what was judged; None: not known."""
        return self._floors.get(_scale(run, judgement), (0, None))[1]

    def lacks(self, row: Row) -> bool:
        """Whether there is a verdict to be found out."""
        return row.difference is not None and not begins_anew(row.run) and _key(row) not in self._judgements

    def course(self, run: Run) -> Span:
        """Its score over the epochs, as it stands in a row."""
        known = self._courses.get(run.key)
        return Span("" if known is None or begins_anew(run) else known[1], "series0")

    def difference(self, row: Row) -> Span:
        """Δ as it stands in a row: in the colour of its verdict, whose mark is behind it once it is known; dim where it
        is no more than two seeds of one recipe differ by."""
        if row.is_baseline:
            return Span("base", "dim")
        if row.difference is None or begins_anew(row.run):
            return Span(f"{difference(None)}  ", "dim")
        judgement = self._judgements.get(_key(row))
        mark = MARK_OF_VERDICT[judgement.verdict] if judgement is not None else Span(" ")
        floor = self._floor(row.run, judgement) if judgement is not None else None
        is_noise = judgement is not None and floor is not None and abs(judgement.difference) <= floor
        return Span(f"{difference(row.difference)} {mark.text}", "dim" if is_noise else mark.style)

    def standing(self, row: Row) -> Line:
        """Δ in words, with its interval once that is known; empty where there is none."""
        if row.baseline is None or row.difference is None or begins_anew(row.run):
            return ()
        other = Span(f"★ {safe_text(row.baseline.name)} {row.baseline.id} seed {row.baseline.seed}", "dim")
        judgement = self._judgements.get(_key(row))
        if judgement is None:
            return line(Span(" Δ ", "dim"), difference(row.difference), Span(" from ", "dim"), other)
        mark = MARK_OF_VERDICT[judgement.verdict]
        said = Span(f"{mark.text} {judgement.verdict}", mark.style)
        figures = f"{safe_text(judgement.title)} {judgement.figures}  "
        than = Span(" against " if judgement.verdict == "undecided" else " than ", "dim")
        floor = self._floor(row.run, judgement)
        noise = Span(f"; two seeds of one recipe differ by {score(floor)}" if floor is not None else "", "dim")
        return line(Span(" Δ ", "dim"), figures, said, than, other, noise)


async def look_beside(dashboard: Host, table: Table[Any], beside: Beside) -> AsyncIterator[Row | None]:
    """Find out what stands beside the rows on screen, that of the cursor first, and show it in the table.

    Yields:
        the row of which the verdict is known now; None: the courses are.
    """
    rows = [row for row in table.rows_in_sight if isinstance(row, Row)]
    unread = [row.run for row in rows if beside.lacks_course(row.run)]
    if unread and any(each.column.key == "curve" for each in table.placed):
        await dashboard.ask(beside.read_courses(unread))
        yield None
    lacking = [row for row in rows if beside.lacks(row)]
    if lacking:
        await asyncio.sleep(PAUSE_SECONDS)
    for row in sorted(lacking, key=lambda row: row is not table.current):
        await dashboard.ask(beside.judge(row), slow=True)
        yield row


def _scale(run: Run, judgement: "Judgement") -> Key:
    """Where the noise of seeds is the same."""
    asked = run.submission
    return judgement.score, *scale_key(run), asked.fingerprints_json, asked.definitions_json, tuple(run.tasks)


def _key(row: Row) -> Key:
    """Which predictions of which runs."""
    return tuple((run.id, run.attempt, run.scores.selected_epoch) for run in (row.run, row.baseline) if run is not None)
