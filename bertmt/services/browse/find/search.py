"""A search through all that is known of the runs, in slices: whoever asked sees what is found, and can stop.

What is quick comes first: names, notes and failures, which are in memory, then the sentences that runs predicted, each
of which is read once however many runs predicted it, and at last the logs.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from bertmt.errors import RegistryError, UsageError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found, Where, line_about
from bertmt.services.browse.find.in_logs import lines_with
from bertmt.services.ingest.ingest import folder_of

MOST_OF_A_KIND = 500  # lines that are shown of one kind, over all runs
MOST_OF_A_LOG = 20
LEAST_TEXT = 2  # characters
SENTENCES_AT_ONCE = 2000


class Search:
    """One text, looked for in runs.

    Args:
        runs: in the order in which they are looked through.
        first: ids of those among them whose sentences are all told; of other runs that predicted the same sentence one
            is named.

    Attributes:
        is_over: there is nothing more to look through.
        cut: the kinds of which there was more than is told.
        logs, logs_read: how many logs there are to read, and how many were.
        unreadable: how many of them cannot be read.
    """

    def __init__(self, database: Database, runs: Sequence[Run], text: str, first: Collection[str] = ()):
        self.is_over = False
        self.cut: set[Where] = set()
        self.logs = sum(run.attempt for run in runs)
        self.logs_read = self.unreadable = 0
        self._database = database
        self._runs = sorted(runs, key=lambda run: run.id not in first) if first else list(runs)
        self._first = first
        self._wanted = check_text(text).casefold()
        self._told: Counter[Where] = Counter()
        self._steps = self._all()

    def go_on(self, seconds: float) -> list[Found]:
        """What is found in about so many seconds."""
        until = time.monotonic() + seconds
        found: list[Found] = []
        for each in self._steps:
            if each is not None:
                found.append(each)
            if time.monotonic() >= until:
                return found
        self.is_over = True
        return found

    def _all(self) -> Iterator[Found | None]:
        for part in (self._words(), self._sentences(), self._logs()):
            for each in part:
                if each is None or self._may_tell(each.where):
                    yield each

    def _may_tell(self, where: Where) -> bool:
        self._told[where] += 1
        if self._told[where] > MOST_OF_A_KIND:
            self.cut.add(where)
        return where not in self.cut

    def _words(self) -> Iterator[Found | None]:
        """What a run is called, and what was written about it."""
        for run in self._runs:
            words = [
                (Where.NAME, run.name),
                (Where.ID, run.id),
                (Where.PRESET, run.submission.preset or ""),
                *((Where.TAG, tag) for tag in run.annotations.tags),
                (Where.NOTE, run.annotations.note),
                (Where.FAILURE, run.execution.failure or ""),
            ]
            for where, text in words:
                if self._wanted in text.casefold():
                    yield Found(run=run, where=where, text=line_about(text, self._wanted))
            yield None

    def _sentences(self) -> Iterator[Found | None]:
        """The dev examples that were predicted; those of one fingerprint are read once."""
        predicted: dict[tuple[str, str], list[Run]] = {}
        for run in self._runs:
            epoch = run.scores.selected_epoch
            for task in run.tasks if epoch is not None else ():
                mark = stored_predictions.fingerprint_of(self._database, run.key, task, epoch)
                if mark is not None:
                    predicted.setdefault((task, mark), []).append(run)
            yield None
        for (task, mark), runs in predicted.items():
            start = 0
            while rows := stored_predictions.texts(self._database, mark, start, SENTENCES_AT_ONCE):
                for place, *parts in rows:
                    text = next((each for each in parts if self._wanted in (each or "").casefold()), None)
                    if text is not None:
                        yield from self._of_sentence(runs, task, place, text)
                start = rows[-1][0] + 1
                yield None
                if Where.SENTENCE in self.cut:
                    return

    def _of_sentence(self, runs: Sequence[Run], task: str, place: int, text: str) -> Iterator[Found]:
        told = [run for run in runs if run.id in self._first] or runs[:1]
        for run in told:
            yield Found(
                run=run,
                where=Where.SENTENCE,
                text=line_about(text, self._wanted),
                task=task,
                example=place,
                others=len(runs) - len(told),
            )

    def _logs(self) -> Iterator[Found | None]:
        """The logs of all attempts, each run's last first."""
        for run in self._runs:
            for attempt in range(run.attempt, 0, -1):
                try:
                    yield from self._of_log(run, attempt)
                except FileNotFoundError:  # an attempt may end before it writes one
                    pass
                except (OSError, RegistryError):  # a file that cannot be read, an id that leads elsewhere
                    self.unreadable += 1
                self.logs_read += 1
                if Where.LOG in self.cut:
                    return

    def _of_log(self, run: Run, attempt: int) -> Iterator[Found | None]:
        told = 0
        for each in lines_with(folder_of(self._database, run).log(attempt), self._wanted):
            if each is None:
                yield None
                continue
            text = line_about(each.text, self._wanted)
            yield Found(run=run, where=Where.LOG, text=text, attempt=attempt, offset=each.offset, line=each.number)
            told += 1
            if told == MOST_OF_A_LOG:
                return


def check_text(text: str) -> str:
    """What to look for, without spaces around it.

    Raises:
        UsageError: it is too short to find anything by.
    """
    if len(text.strip()) < LEAST_TEXT:
        raise UsageError(f"What to find expects at least {LEAST_TEXT} characters, but found {text.strip()!r}.")
    return text.strip()


def by_run(found: Sequence[Found]) -> list[list[Found]]:
    """What was found, run by run, in the order in which the runs were found first."""
    groups: dict[int, list[Found]] = {}
    for each in found:
        groups.setdefault(each.run.key, []).append(each)
    return list(groups.values())
