"""Groups of seeds by what people type: a run's id stands for all seeds of its recipe, a name or a filter for those that
it matches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bertmt.drawing.numbers import counted, named
from bertmt.errors import BusyError, NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.browse.baseline import Baselines
from bertmt.services.browse.lookup import find_runs
from bertmt.services.browse.rows import Row
from bertmt.services.browse.run_list import Group, RunList, newest_of_each_seed
from bertmt.services.ingest.reconcile import ingest_running


@dataclass(frozen=True)
class SeedGroups:
    """The finished runs of each group, of several with one seed the newest; and what was left out, in sentences."""

    groups: tuple[tuple[Run, ...], ...]
    remarks: tuple[str, ...]


def seed_groups(database: Database, words: Sequence[str], with_baseline: bool = True) -> SeedGroups:
    """A group for each word.

    Args:
        with_baseline: the group of its baselines joins a single one.

    Raises:
        NotFoundError: nothing answers to a word, or the baseline that a person chose is gone.
        UsageError: a word means runs of several recipes.
        BusyError: none of its runs has finished.
    """
    ingest_running(database)
    listed = RunList(database)
    listed.refresh()
    found = [_group(database, listed, word) for word in words]
    groups, remarks = [runs for runs, _ in found], [sentence for _, said in found for sentence in said]
    if len(groups) == 1 and with_baseline:
        groups = [*_baselines(listed, groups[0]), *groups]
    return SeedGroups(tuple(groups), tuple(remarks))


def _group(database: Database, listed: RunList, word: str) -> tuple[tuple[Run, ...], list[str]]:
    """The runs that a word means, and what was left out of them."""
    keys, stands_for_all = _keys(database, listed, word)
    matching = [group for group in listed.groups() if any(row.run.key in keys for row in group.rows)]
    if stands_for_all:
        keys = {row.run.key for group in matching for row in group.rows}
    # What waits is of no group yet: its data may have changed since the others were trained.
    trained = [group for group in matching if any(newest_of_each_seed(_of(group, keys)))]
    if len(trained) > 1:
        firsts = named([f"{group.rows[0].run.id} ({group.rows[0].run.name})" for group in trained])
        raise UsageError(
            f"--group {word} has runs of {len(trained)} recipes, scales or data sets, and a group is the seeds of one; "
            f"narrow the filter, or name one by a run of it: {firsts}."
        )
    if not trained:
        first = _of(matching[0], keys)[0].run
        raise BusyError(
            f"No run of --group {word} has finished ({first.id} is {first.state}); `bertmt wait {first.id}`."
        )
    runs = tuple(row.run for row in newest_of_each_seed(_of(trained[0], keys)))
    waiting = {row.run.seed for group in matching for row in _of(group, keys)} - {run.seed for run in runs}
    return runs, [f"{counted(len(waiting), 'seed')} of {word} left out: not finished."] if waiting else []


def _of(group: Group, keys: Collection[int]) -> list[Row]:
    """Its rows of certain keys."""
    return [row for row in group.rows if row.run.key in keys]


def _keys(database: Database, listed: RunList, word: str) -> tuple[set[int], bool]:
    """Of the runs that a word names or, where it names none, that match it as a filter; and whether it is the id of
    one, or the beginning of it."""
    try:
        found = find_runs(database, word)
    except (NotFoundError, UsageError) as problem:
        matching = {row.run.key for row in listed.rows(word)} if word.strip() else set()
        if not matching:
            raise NotFoundError(
                f"--group expects a run, a name or a filter, and {word!r} matches no run: {problem}"
            ) from None
        return matching, False
    return {run.key for run in found}, len(found) == 1 and found[0].id.startswith(word)


def _baselines(listed: RunList, runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """The group of the baselines of some runs, unless they are that; none where there is none."""
    known: Baselines = listed.baselines
    if known.gone:
        raise NotFoundError(known.why_gone)
    keys = {baseline.key for run in runs if (baseline := known.of(run)) is not None}
    if not keys or keys & {run.key for run in runs}:
        return []
    group = next(group for group in listed.groups() if any(row.run.key in keys for row in group.rows))
    return [tuple(row.run for row in newest_of_each_seed(group.rows))]
