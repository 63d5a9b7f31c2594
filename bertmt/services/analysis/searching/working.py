"""Keeping a search going until it has ended: in front, so that it can be watched, and killed at any moment."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bertmt.errors import BertmtError, DamagedRegistryError, MovedRegistryError, RegistryError
from bertmt.launchers.workers import running_beside, worker_command
from bertmt.registry.database import Database, sqlite_errors_as_sentences
from bertmt.registry.workers import running_workers
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.looking import Looked
from bertmt.services.analysis.searching.scoring import scorer_of
from bertmt.services.lifecycle.hold import queue_is_held

T = TypeVar("T")
LOOK_SECONDS = 1.0
TROUBLE_SECONDS = 5.0  # between two tries where the registry cannot be used for a while
IDLE_SECONDS = 10.0  # before a worker is begun anew of which the last found nothing to start
NOTHING_WORKS = "No worker is running: type `bertmt worker` in another terminal, or add --work."
NOTHING_STARTS = "No run of the search can be started here now; what the worker said tells why. Trying again."
PAUSED = (
    "{name} ({id}) is paused, and the search waits for it: `bertmt resume {id}` lets it go on, `bertmt cancel {id}` "
    "leaves it out."
)
HELD = "The queue is held: `bertmt release --queue` lets its runs start."


def search_on(database: Database, name: str, work: bool, say: Callable[[str], None]) -> Looked:
    """Take a search to its end; where it has ended already, nothing happens.

    Args:
        work: work the queue beside it, with a worker that ends with the search.
        say: is told what is done and what is waited for.

    Raises:
        BertmtError: the worker has ended badly, or starts nothing any more.
        NotFoundError, DataError: there is no such search, or it cannot be read.
    """
    scorer = scorer_of(database, name)
    told: set[str] = set()

    def once(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            say(sentence)

    def look() -> Looked:
        return _tried_again(database, lambda: advance(database, name, say, scorer), say)

    while (looked := look()).search.ended_at is None:
        for run in [each.run for each in looked.tried if each.run and each.is_short and not each.is_removed]:
            once(PAUSED.format(name=run.name, id=run.id))
        is_held = _tried_again(database, lambda: queue_is_held(database), say)
        if is_held:
            once(HELD)
        if work and not is_held:
            began = time.monotonic()
            looked = _with_a_worker(database.path, name, look)
            if looked.search.ended_at is None and time.monotonic() - began < IDLE_SECONDS:
                once(NOTHING_STARTS)
                time.sleep(IDLE_SECONDS)
            continue
        if not work:
            _tried_again(database, lambda: _tell_why_nothing_comes(database, once), say)
        time.sleep(LOOK_SECONDS)
    return looked


def _tried_again(database: Database, act: Callable[[], T], say: Callable[[str], None]) -> T:
    """What `act` comes to, again and again while the registry is locked or its disk is full, as workers do.

    Its worker goes on in the meantime, and would end with this process.
    """
    told = ""
    while True:
        try:
            with sqlite_errors_as_sentences(database.path):
                return act()
        except (DamagedRegistryError, MovedRegistryError):
            raise  # time does not mend it
        except RegistryError as problem:
            if str(problem) != told:
                say(f"{problem} The search retries every {TROUBLE_SECONDS:.0f} s; running runs continue.")
            told = str(problem)
            time.sleep(TROUBLE_SECONDS)


def _with_a_worker(registry: Path, name: str, look: Callable[[], Looked]) -> Looked:
    """Go on until the search has ended, or the worker has: it ends where nothing waits, and is then begun anew.

    One that went on for ever would be left behind where this process is killed.
    """
    with _worker(registry) as has_ended:
        while True:
            code = has_ended()
            looked = look()
            if looked.search.ended_at is not None or code == 0:
                return looked
            if code is not None:
                raise BertmtError(
                    f"The worker has ended with exit code {code}; nothing is lost: `bertmt search --resume {name} "
                    "--work` goes on."
                )
            time.sleep(LOOK_SECONDS)


@contextmanager
def _worker(registry: Path) -> Iterator[Callable[[], int | None]]:
    with running_beside(worker_command(registry, drain=True)) as child:
        yield child.poll


def _tell_why_nothing_comes(database: Database, once: Callable[[str], None]) -> None:
    """Say what keeps the runs from being worked, if something does.

    Raises:
        BertmtError: all workers have stopped starting runs.
    """
    workers = running_workers(database)
    if not workers:
        once(NOTHING_WORKS)
    elif all(worker.starts_nothing for worker in workers):
        raise BertmtError(f"{workers[0].guard}; `bertmt workers --go-on {workers[0].key}` resets the worker.")
