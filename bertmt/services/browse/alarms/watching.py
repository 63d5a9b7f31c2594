"""The alarms of the runs that train now, read from the registry."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bertmt.errors import UsageError
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import finished_of_preset, finished_with_id
from bertmt.registry.states import State
from bertmt.services.browse.alarms.rules import WINDOW, Alarm, Rules, alarms
from bertmt.services.browse.alarms.settings import alarm_rules
from bertmt.services.browse.baseline import chosen_baseline, same_dev_data, scale_key

MOST_WINDOWS = 500  # the newest of a long run, and its first; no list waits for more
MOST_SIBLINGS = 8
OVERALL = "dev/overall"


class AlarmWatch:
    """Finds them, and keeps those of a run until more of its events are imported.

    Args:
        start: from which folder on `bertmt.toml` is looked for; by default the current one.
    """

    def __init__(self, database: Database, start: Path | None = None):
        self._database, self._start = database, start
        self._kept: dict[int, tuple[object, list[Alarm]]] = {}

    def of(self, runs: Iterable[Run]) -> dict[str, list[Alarm]]:
        """The alarms of those that are running and have some, by their ids.

        A `bertmt.toml` that cannot be read is the alarm of all: nobody watches then.
        """
        running = [run for run in runs if run.state is State.RUNNING]
        if not running:
            return {}
        try:
            rules = alarm_rules(self._start)
        except UsageError as problem:
            return {run.id: [Alarm("settings", str(problem))] for run in running}
        found = {run.id: self._of(run, rules) for run in running}
        return {run_id: each for run_id, each in found.items() if each}

    def _of(self, run: Run, rules: Rules) -> list[Alarm]:
        known = (rules, run.imported.events_attempt, run.imported.events_offset)
        kept = self._kept.get(run.key)
        if kept is None or kept[0] != known:
            kept = self._kept[run.key] = known, _alarms_of(self._database, run, rules)
        return kept[1]


def _alarms_of(database: Database, run: Run, rules: Rules) -> list[Alarm]:
    if not rules.on:
        return []
    names = [f"loss/{task}" for task in run.tasks]
    means = metrics.window_means(database, run.key, names, WINDOW, MOST_WINDOWS)
    losses = {name: each for name, each in means.items() if each}
    scores = _scores(database, run)
    siblings = {other.id: _scores(database, other) for other in _siblings(database, run)} if scores else {}
    return alarms(rules, losses, scores, {run_id: each for run_id, each in siblings.items() if each})


def _scores(database: Database, run: Run) -> Mapping[int, float]:
    return {step: value for step, value in metrics.read(database, run.key, (OVERALL,))[OVERALL] if value is not None}


def _siblings(database: Database, run: Run) -> Sequence[Run]:
    """The newest finished runs of its preset, else the baseline that a person chose; of equal scale and dev data."""
    preset = run.submission.preset
    found = _alike(run, finished_of_preset(database, preset, MOST_SIBLINGS)) if preset else []
    return found or _alike(run, finished_with_id(database, chosen_baseline(database) or ""))


def _alike(run: Run, others: Iterable[Run]) -> list[Run]:
    """Those whose scores at a step mean what those of the run mean."""
    return [
        other
        for other in others
        if other.key != run.key
        and scale_key(other) == scale_key(run)
        and list(other.tasks) == list(run.tasks)
        and all(same_dev_data(run, other, task) for task in run.tasks)
    ]
