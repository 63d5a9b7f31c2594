"""Registries filled for a benchmark, through the same functions that runs use."""

import json
from pathlib import Path

from bertmt.recipe.loading import preset, to_json
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry import summaries
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import NewRun, add_runs, all_runs
from bertmt.services.plan.snapshot import take_snapshot
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Source, Task, Tasks

# The paper's three and nine that a person defined.
TWELVE: Tasks = {
    **BUILTIN,
    **{
        f"own{number}": Task(
            name=f"own{number}",
            title=f"OWN{number}",
            inputs="pair",
            classes=("no", "yes"),
            metrics=("matthews", "accuracy"),
            source=Source(train="train.tsv", dev="dev.tsv", text="first", pair="second", label="label"),
        )
        for number in range(1, 10)
    },
}


def new_runs(count: int, tasks: Tasks = BUILTIN) -> list[NewRun]:
    """Runs of the baseline, or of more tasks, that differ in their seed."""
    values = {"data": "toy", "encoder": "tiny", "tasks": list(tasks)}
    recipe = resolved(recipe_from(values, preset("baseline").recipe(), tasks))
    return [
        NewRun(
            name="baseline",
            preset="baseline",
            from_preset="baseline",
            recipe_json=to_json(recipe_from({"seed": seed}, recipe)),
            digest=recipe.digest(),
            seed=seed,
            data="toy",
            extra_data_file="",
            fingerprints={f"{task}-{split}": "0" * 16 for task in recipe.tasks for split in ("train", "dev")},
            tasks=recipe.named(),
        )
        for seed in range(count)
    ]


def filled_registry(path: Path, queued: int, tasks: Tasks = BUILTIN) -> Database:
    """A registry with so many queued runs."""
    database = open_registry(path, create=True)
    for start in range(0, queued, 500):
        add_runs(database, new_runs(min(500, queued - start), tasks), take_snapshot())
    return database


def finish_all(database: Database) -> None:
    """Make every run look finished, with scores."""
    with database.immediate():
        database.execute("UPDATE runs SET state = 'finished', attempt = 1")
        for run in all_runs(database):
            scores = {name: 0.4 + (run.key + place) % 1000 / 2000 for place, name in enumerate(run.tasks)}
            summaries.update(database, run.key, scores=json.dumps(scores), overall=0.67, selected_epoch=1)
    assert all_runs(database, "runs.state != 'finished'") == []
