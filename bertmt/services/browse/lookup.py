"""Finding runs by what people type: an id, a name, or an unambiguous prefix, tried in this order."""

from collections.abc import Iterable

from bertmt.drawing.numbers import named
from bertmt.errors import NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.finding import removed_called, runs_beginning_with, runs_named, runs_with_ids
from bertmt.registry.records import Run


def find_runs(database: Database, word: str) -> list[Run]:
    """The runs that a word means: one, or all that share a name (several seeds), oldest first.

    Raises:
        NotFoundError: none answers to it.
        UsageError: it is a prefix of several ids and names.
    """
    found = runs_with_ids(database, [word]) or runs_named(database, word)
    if found:
        return found
    found = runs_beginning_with(database, word)
    if not word or not found:
        if removed_called(database, word):
            raise NotFoundError(f"The run {word!r} was removed; `bertmt restore {word}` brings it back.")
        raise NotFoundError(f"No run named {word!r}; `bertmt runs` lists them.")
    if len({run.name for run in found}) > 1 and len(found) > 1:
        raise UsageError(f"{word!r} is ambiguous: {_listed(found)}; type more of it.")
    return found


def named_runs(database: Database, words: Iterable[str]) -> list[Run]:
    """The runs that words refer to, each once; several seeds may share a name.

    Raises:
        NotFoundError, UsageError: as `find_runs`.
    """
    return list({run.key: run for word in words for run in find_runs(database, word)}.values())


def find_run(database: Database, word: str) -> Run:
    """The one run that a word means.

    Raises:
        NotFoundError, UsageError: as `find_runs`; also where a name is shared by several runs.
    """
    found = find_runs(database, word)
    if len(found) > 1:
        raise UsageError(f"{len(found)} runs are called {found[0].name!r}: {_listed(found)}; type the id of one.")
    return found[0]


def _listed(runs: list[Run]) -> str:
    return named([f"{run.id} ({run.name}, seed {run.seed}, {run.state})" for run in runs])
