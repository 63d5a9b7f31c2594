"""Which run the others are compared with."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from bertmt.drawing.numbers import counted
from bertmt.errors import BusyError
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.settings import Role
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_with_ids
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, finished_of_preset, setting, store_setting
from bertmt.registry.states import State

SETTING = "baseline"
BASELINE_PRESET = "baseline"
MOST_BASELINES = 100_000
# Where the data lies says nothing; its fingerprints do.
SCALE_SETTINGS = tuple(
    name
    for name, each in SETTINGS.items()
    if each.role is Role.SCALE and name != "data" and not name.startswith("extra_data")
)


class Baselines:
    """Finds the run that any other is compared with, among runs that were read once.

    That is the run a person chose. Where nobody chose, it is the `baseline` of equal scale that finished first, of
    several seeds that of the same one: a baseline that finishes later takes no other's place. One that trains all
    tasks of the run goes before one that trains some.

    Attributes:
        chosen: by a person; None: nobody chose, or it is gone.
        gone: the id of the run that a person chose and that is not there any more; "" where that is not so. Nothing
            takes its place by itself.
    """

    def __init__(self, database: Database, runs: Collection[Run] | None = None):
        known = all_runs(database) if runs is None else runs
        chosen = chosen_baseline(database)
        self.chosen = next((run for run in known if run.id == chosen), None)
        self.gone = chosen if chosen and self.chosen is None else ""
        # Of runs that train the same on the same data the first alone, which goes before the others everywhere.
        self._by_scale: dict[tuple[Any, ...], dict[tuple[Any, ...], Run]] = {}
        self._by_seed: dict[tuple[tuple[Any, ...], int], dict[tuple[Any, ...], Run]] = {}
        for run in sorted(filter(may_be_baseline, known), key=lambda run: (run.execution.ended_at or "", run.key)):
            key, own = scale_key(run), run.submission
            trained = (tuple(run.tasks), own.fingerprints_json, own.definitions_json)
            self._by_scale.setdefault(key, {}).setdefault(trained, run)
            self._by_seed.setdefault((key, run.seed), {}).setdefault(trained, run)

    def of(self, run: Run) -> Run | None:
        """The baseline of a run, or None where there is none."""
        if self.chosen is not None:
            return self.chosen
        if self.gone or not self._by_scale:
            return None
        key = scale_key(run)
        known = (self._by_seed.get((key, run.seed), {}), self._by_scale.get(key, {}))
        suited = (other for candidates in known for other in candidates.values() if _same_dev_data(run, other))
        first = None
        for other in suited:
            if set(run.tasks) <= set(other.tasks):
                return other
            first = first or other
        return first

    @cached_property
    def references(self) -> frozenset[int]:
        """Keys of the runs that have the look of the baseline wherever runs are drawn: the chosen one or, where nobody
        chose, the first of each scale, whatever its seed."""
        if self.chosen is not None or self.gone:
            return frozenset({self.chosen.key} if self.chosen is not None else ())
        return frozenset(run.key for found in self._by_scale.values() for run in found.values())

    @property
    def why_gone(self) -> str:
        """That what a person chose is gone, and what to type, in a sentence; "" where that is not so."""
        return _why_gone(self.gone) if self.gone else ""


def known_baselines(database: Database) -> Baselines:
    """The same without reading all runs: of those that may be some."""
    found = finished_of_preset(database, BASELINE_PRESET, MOST_BASELINES)
    chosen = chosen_baseline(database)
    return Baselines(database, [*found, *(runs_with_ids(database, [chosen]) if chosen else ())])


def missing_baseline(database: Database) -> str:
    """`Baselines.why_gone`, without reading all runs."""
    chosen = chosen_baseline(database)
    return _why_gone(chosen) if chosen and not runs_with_ids(database, [chosen]) else ""


def _why_gone(run_id: str) -> str:
    return (
        f"The chosen baseline {run_id} was removed, so nothing is compared: `bertmt restore {run_id}` brings it back, "
        "`bertmt baseline RUN` or b in the dashboard chooses another."
    )


def replaced_baselines(before: Mapping[int, Run], now: Iterable[tuple[Run, Run | None]]) -> str:
    """That runs are compared with another run than before, though nobody chose so, in a sentence; "" where none are.

    Args:
        before: the baseline of each run by its key.
        now: runs, and their baselines.
    """
    changes = Counter(
        (old.id, "" if new is None else f"{new.id} ({new.name}, seed {new.seed})")
        for run, new in now
        if (old := before.get(run.key)) is not None and (new is None or new.id != old.id)
    )
    if not changes:
        return ""
    ((old_id, new_name), count), more = changes.most_common(1)[0], len(changes) - 1
    others = f", and {counted(more, 'more baseline')} changed" if more else ""
    what = f"compared with {new_name} now" if new_name else "compared with nothing now"
    runs = counted(count, "run is", "runs are")
    return f"{runs} {what}, no longer with {old_id}{others}; b chooses one for good."


def may_be_baseline(run: Run) -> bool:
    """Whether others are compared with the run, where their scale is equal and nobody chose another."""
    return run.submission.preset == BASELINE_PRESET and run.state is State.FINISHED


def chosen_baseline(database: Database) -> str | None:
    """The id of the run that a person chose; it need not be there any more."""
    return setting(database, SETTING)


def choose_baseline(database: Database, run: Run | None) -> None:
    """Compare every run with `run` from now on; None goes back to the automatic choice.

    Raises:
        BusyError: the run has no scores yet.
    """
    if run is not None and run.state is not State.FINISHED:
        raise BusyError(f"Run {run.id} is {run.state}; only a finished run can be the baseline.")
    store_setting(database, SETTING, run.id if run else None)


def choose_baseline_again(database: Database, run_id: str | None) -> None:
    """Go back to an earlier choice, which may be none."""
    store_setting(database, SETTING, run_id)


def scale_key(run: Run) -> tuple[Any, ...]:
    """Encoder, budget, batch and learning rate; equal keys make runs comparable where their data is the same."""
    return tuple(map(run.submission.shared_recipe.get, SCALE_SETTINGS))


def _same_dev_data(run: Run, other: Run) -> bool:
    # Equal in nearly all of the thousands of rows of a list.
    own, its = run.submission, other.submission
    if (own.fingerprints_json, own.definitions_json) == (its.fingerprints_json, its.definitions_json):
        return True
    return all(same_dev_data(run, other, task) for task in run.tasks)


def same_dev_data(run: Run, other: Run, task: str) -> bool:
    """Whether two runs are evaluated alike in a task: on the same dev examples, what is not known counting as the same,
    whose labels and whose metric are the same."""
    if run.submission.shared_recipe.get("evaluate_examples") != other.submission.shared_recipe.get("evaluate_examples"):
        return False
    own, its = run.tasks.get(task), other.tasks.get(task)
    if own is not its and own is not None and its is not None and own.asked != its.asked:
        return False
    if run.submission.fingerprints_json == other.submission.fingerprints_json:
        return True
    marks = {each.submission.fingerprints.get(f"{task}-dev") for each in (run, other)} - {None}
    return len(marks) < 2
