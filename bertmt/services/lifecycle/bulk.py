"""Verbs for several runs, for every front end: where one of them cannot, nothing is done to any."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from bertmt.errors import BusyError, DataError, NotFoundError, RecipeError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.services.lifecycle import control, removal

Opened = TypeVar("Opened", bound=Database)


def for_all(database: Opened, runs: Sequence[Run], verb: Callable[[Opened, Run], Run]) -> list[Run]:
    """The runs as they are afterwards.

    Raises:
        BertmtError: as the verb, of the first run that it refuses; the registry is then as it was.
    """
    for run in runs:
        # Before the transaction, whose end may put back what it did: that a process is gone stays true.
        with suppress(DataError, NotFoundError):
            bring_up_to_date(database, run_by_key(database, run.key))
    with _all_or_none(len(runs)), database.immediate():
        return [verb(database, run) for run in runs]


def cancel(database: Database, runs: Sequence[Run]) -> list[Run]:
    """As `control.cancel`, all of them or none; where no worker is there, their children are told."""
    asked = for_all(database, runs, control.cancel)
    control.stop_orphans(database, asked)
    return asked


def pause(database: Database, runs: Sequence[Run]) -> list[Run]:
    """As `control.pause`, all of them or none; where no worker is there, their children are told."""
    asked = for_all(database, runs, control.pause)
    control.stop_orphans(database, asked)
    return asked


def edit(database: Database, runs: Sequence[Run], values: Mapping[str, Any]) -> list[Run]:
    """As `control.edit`, all of them or none; all is checked before the registry is locked."""
    with _all_or_none(len(runs)):
        edited = {run.key: control.check_edited(database, run, values) for run in runs}
    return for_all(database, runs, lambda each, run: control.store_edited(each, run, edited[run.key]))


def begin_anew(
    database: Database, runs: Sequence[Run], data: str | None = None, extra_data_file: str | None = None
) -> list[Run]:
    """As `control.begin_anew`."""
    with _all_or_none(len(runs)):
        return control.begin_anew(database, runs, data, extra_data_file)


def restore(database: Database, words: Sequence[str]) -> list[Run]:
    """As `removal.restore_all`."""
    with _all_or_none(len(words)):
        return removal.restore_all(database, words)


@contextmanager
def _all_or_none(count: int) -> Iterator[None]:
    """Add to a refusal that all runs were left alone, where they are several."""
    try:
        yield
    except (BusyError, NotFoundError, UsageError) as problem:
        if count == 1 or isinstance(problem, RecipeError):  # which holds a list of problems
            raise
        raise type(problem)(f"{problem} No action was taken on any of the {count} runs.") from None
