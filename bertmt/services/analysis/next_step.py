"""What a person may want to type once his runs have ended."""

import shlex
from collections.abc import Collection, Mapping
from typing import Any

from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.settings import Role
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State
from bertmt.services.browse.baseline import BASELINE_PRESET, Baselines, may_be_baseline

FLAGS = {"data": "--data", "extra_data_file": "--extra-data", "encoder": "--encoder"}


def next_command(database: Database, ended: Collection[str], values: Mapping[str, Any]) -> str:
    """A comparison where there are two runs to compare, else the run that lacks for one; "" where none has finished.

    Args:
        ended: ids of the runs that were worked.
        values: what was set for them by hand: the run that lacks is to have their scale.
    """
    runs = [run for run in all_runs(database) if run.state is State.FINISHED]
    found = next((run for run in reversed(runs) if run.id in ended), None)
    if found is None:
        return ""
    pair = _pair(Baselines(database, runs), runs, found)
    if pair:
        return f"bertmt compare {' '.join(_word(run, runs) for run in pair)}"
    scale = [
        f"{FLAGS[name]} {shlex.quote(str(value))}" if name in FLAGS else f"--set {shlex.quote(f'{name}={value}')}"
        for name, value in values.items()
        if name in SETTINGS and SETTINGS[name].role is Role.SCALE
    ]
    lacking = "final" if may_be_baseline(found) else BASELINE_PRESET
    return " ".join(["bertmt queue --preset", lacking, *scale, "--work"])


def _pair(baselines: Baselines, runs: Collection[Run], found: Run) -> tuple[Run, Run] | None:
    """A run and its baseline, which may be the one that was found."""
    baseline = baselines.of(found)
    if baseline is not None and baseline.id != found.id:
        return baseline, found
    others = [run for run in runs if not may_be_baseline(run) and baselines.of(run) == found]
    return (found, others[-1]) if others else None


def _word(run: Run, runs: Collection[Run]) -> str:
    """The name, or the id where others have that name too."""
    return shlex.quote(run.name) if sum(each.name == run.name for each in runs) == 1 else run.id
