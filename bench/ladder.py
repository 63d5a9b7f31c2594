"""`python -m bench.ladder --data DIR`: from `final` towards `best`, one toggle a row, each row with equal wall time.

Each row is the one above it with one more change, trained through the queue in as many steps as the time allows: a
short run of it first says how long its steps take. Verdicts are those of `bertmt compare` over the seeds, of each row
against the one above it and against `final`. Nothing that is finished is trained again: typed again, it goes on.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.queued import Queued, differences, mean_scores
from bertmt.recipe.loading import preset
from bertmt.recipe.pretraining import SINGLE, TRAIN
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.services.plan.estimates import planned_effort

# Each on top of those before. What was measured elsewhere of some of them is in docs/methods.md's sources; the order is
# that of what a recipe needs: what is read of a pair, then what trains it.
ROWS: Mapping[str, Mapping[str, Any]] = {
    "final": {},
    "whole encoder": {"lora.rank": 0},
    "joint pairs": {"pair_input": "joint"},
    "no MNR": {"mnr": False},
    "no cosine embedding": {"cosine_embedding": False},
    "falling rate": {"learning_rate_schedule": "linear"},
    "warm-up": {"warmup": 0.1},
    "shared encoder": {"ensembling": False},
    "two stages": {"stages": ("multitask", "single")},
    "hidden words": {"mlm_epochs": 1},
    "R-Drop": {"r_drop": 1.0},
    "mean of weights": {"weight_average": 0.2},
}
EPOCHS = 4  # in all, over both stages where there are two
PROBE_STEPS = 30
PROBE = {"epochs": 1, "evaluate_examples": 32, "partial_examples": 0, "keep_model": False}
FIRST_STEPS = 5
STAGES = (TRAIN, SINGLE)
MOST_STEPS = 1 << 24


@dataclasses.dataclass(frozen=True)
class Speed:
    """Seconds per step of training and of pretraining."""

    training: float
    pretraining: float


def settings_of(row: str, common: Mapping[str, Any]) -> dict[str, Any]:
    """All that a row sets on top of `final`."""
    found: dict[str, Any] = dict(common)
    for name, changes in ROWS.items():
        found |= changes
        if name == row:
            break
    return found


def recipe_of(settings: Mapping[str, Any]) -> Recipe:
    """The recipe that is queued."""
    return resolved(recipe_from(settings, preset("final").recipe()))


def epochs_of(settings: Mapping[str, Any]) -> int:
    """Of each stage."""
    return EPOCHS // len(recipe_of(settings).stages)


def speed_of(events: Sequence[Mapping[str, Any]]) -> Speed:
    """From what a short run told: the time between steps, without the first ones, which load and compile."""
    steps = [event for event in events if event["event"] == "step"]
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    for before, after in pairwise(steps):
        if before["phase"] == after["phase"]:
            passed = datetime.fromisoformat(after["at"]) - datetime.fromisoformat(before["at"])
            by_kind[after["phase"] in STAGES].append(passed.total_seconds())
    training, pretraining = (each[min(FIRST_STEPS, len(each) // 2) :] for each in (by_kind[True], by_kind[False]))
    return Speed(fmean(training), fmean(pretraining) if pretraining else fmean(training))


def steps_for(settings: Mapping[str, Any], speed: Speed, seconds: float) -> int:
    """The longest epoch, in steps, with which training and pretraining fit into so many seconds; at least 1."""
    low, high = 1, MOST_STEPS
    while low < high:
        middle = (low + high + 1) // 2
        sized = {**settings, "epoch_steps": middle, "epochs": epochs_of(settings)}
        before = planned_effort(recipe_of(sized)).pretraining_steps
        if EPOCHS * middle * speed.training + before * speed.pretraining <= seconds:
            low = middle
        else:
            high = middle - 1
    return low


def climb(
    queued: Queued, common: Mapping[str, Any], minutes: float, seeds: Sequence[int], rows: Sequence[str], file: Path
) -> dict[str, Any]:
    """Train and judge the rows one after another; what is known is in the file after each."""
    found: dict[str, Any] = {"minutes": minutes, "seeds": list(seeds), "settings": dict(common), "rows": {}}
    above = ""
    for row in rows:
        settings = settings_of(row, common)
        [probe] = queued.bring(f"probe of {row}", "final", {**settings, **PROBE, "epoch_steps": PROBE_STEPS}, [0])
        queued.work()
        steps = steps_for(settings, speed_of(queued.events(probe)), 60 * minutes)
        sized = {
            **settings, "epochs": epochs_of(settings), "epoch_steps": steps, "evaluate_every": EPOCHS,
            "partial_examples": 0, "keep_model": False,
        }  # fmt: skip
        ids = queued.bring(row, "final", sized, seeds)
        queued.work()
        told = [queued.finished(run_id) for run_id in ids]
        trained = [each["seconds"]["training"] + each["seconds"].get("pretraining", 0.0) for each in told]
        found["rows"][row] = {
            "changes": dict(ROWS[row]), "runs": ids, "epoch_steps": steps,
            "seconds": [round(each, 1) for each in trained],
            "scores": mean_scores(queued, ids),
            "against_the_row_above": differences(queued.path, above, row) if above else [],
            "against_final": differences(queued.path, rows[0], row) if above else [],
        }  # fmt: skip
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(line_of(row, found["rows"][row]), flush=True)
        above = row
    return found


def line_of(row: str, found: Mapping[str, Any]) -> str:
    """One line about a row."""
    scores = "  ".join(f"{task} {score:.3f}" for task, score in found["scores"].items())
    verdicts = ", ".join(f"{each['task']} {each['verdict']}" for each in found["against_the_row_above"])
    return f"{row}: {scores}  ({min(found['seconds']):.0f}–{max(found['seconds']):.0f} s)  {verdicts}"


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.ladder", description=__doc__)
    parser.add_argument("--data", required=True, help="toy, or a folder in the CS224N format")
    parser.add_argument(
        "--extra-data", default="", metavar="FILE", help="extra pairs, which `final` has; without, none"
    )
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training and pretraining, of each run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path("ladder.json"), metavar="FILE")
    parser.add_argument("--folder", type=Path, default=Path("ladder"), help="of the registry")
    parser.add_argument("--device", default="auto", help="as `bertmt worker` takes it")
    parser.add_argument("--rows", default="", help="only these, separated by commas; the first is what all go by")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="in every row")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Climb as the command line says."""
    asked = parsed(arguments)
    data = asked.data if asked.data == "toy" else str(Path(asked.data).absolute())
    common: dict[str, Any] = {"data": data, "encoder": asked.encoder}
    has_extra = data == "toy" or asked.extra_data
    common |= {"extra_data": bool(has_extra)}
    if asked.extra_data:
        common["extra_data_file"] = str(Path(asked.extra_data).absolute())
    common |= dict(each.split("=", 1) for each in asked.set)
    rows = [each.strip() for each in asked.rows.split(",") if each.strip()] or list(ROWS)
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        sys.exit(f"No row is called {', '.join(unknown)}; there are {', '.join(ROWS)}.")
    queued = Queued(asked.folder.absolute(), asked.device)
    return climb(queued, common, asked.minutes, range(asked.seeds), rows, asked.json)


if __name__ == "__main__":
    main(sys.argv[1:])
