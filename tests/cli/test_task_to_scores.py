"""From the files of a task to its scores, as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from made_tasks import write_made_tasks

Bertmt = Callable[..., Outcome]
SMALL = ("--encoder", "tiny", "--set", "epochs=1", "--set", "epoch_steps=4", "--set", "max_length=16")
ACCEPTABILITY = ("--train", "acceptability-train.csv", "--dev", "acceptability-dev.csv")


def scores(bertmt: Bertmt, name: str) -> dict[str, float | None]:
    [run] = json.loads(bertmt("runs", "--filter", f"name:{name}", "--json").out)["runs"]
    assert run["state"] == "finished", run
    found: dict[str, float | None] = run["scores"]
    return found


@pytest.mark.slow
def test_tasks_of_ones_own_are_added_queued_trained_and_scored(bertmt: Bertmt, folder: Path) -> None:
    write_made_tasks(folder)
    assert bertmt("task", "add", "cola", *ACCEPTABILITY, "--metric", "matthews").code == 0
    assert bertmt("task", "add", "nli", "--train", "inference-train.jsonl", "--dev", "inference-dev.jsonl").code == 0
    settings = ("--set", "tasks=cola,nli", "--set", "head.cola.layers=2", "--set", "sampling=annealed")
    queued = bertmt("queue", "--preset", "baseline", "--name", "two", *settings, *SMALL, "--work")
    assert queued.code == 0, queued.err
    found = scores(bertmt, "two")
    assert found["cola"] is None or -1 <= found["cola"] <= 1
    assert found["nli"] is not None and 0 <= found["nli"] <= 1

    again = bertmt("queue", "--preset", "baseline", "--name", "two", *settings, *SMALL)
    assert again.code == 4 and "already finished" in again.err
    # Judged by something else it is another task, and another run.
    bertmt("task", "add", "cola", *ACCEPTABILITY, "--metric", "f1", "--force")
    other = bertmt("queue", "--preset", "baseline", "--name", "other", *settings, *SMALL, "--hold")
    assert other.code == 0, other.err


@pytest.mark.slow
def test_a_run_keeps_what_its_task_was_and_says_what_to_do_where_its_files_moved(bertmt: Bertmt, folder: Path) -> None:
    write_made_tasks(folder)
    bertmt("task", "add", "cola", *ACCEPTABILITY)
    assert bertmt("queue", "--preset", "baseline", "--name", "one", "--set", "tasks=cola", *SMALL).code == 0
    [run] = json.loads(bertmt("runs", "--json").out)["runs"]
    bertmt("task", "rm", "cola")
    assert bertmt("edit", "one", "--set", "epochs=2").code == 0
    assert bertmt("cancel", "one").code == 0
    (folder / "acceptability-dev.csv").rename(folder / "moved.csv")
    refused = bertmt("requeue", "one")
    assert (
        refused.code == 2 and f"Run {run['id']} reads {folder}/acceptability-dev.csv, which is not there" in refused.err
    )
    assert "name its new place as `dev` in tasks/cola.toml" in refused.err and refused.err.count("\n") == 1
    bertmt("task", "add", "cola", "--train", "acceptability-train.csv", "--dev", "moved.csv")
    assert bertmt("queue", "--from", "one", "--name", "anew", "--hold").code == 0
