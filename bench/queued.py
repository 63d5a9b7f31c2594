"""A registry of an experiment's own, used from the command line as its users do; typed again, it goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LAST_WORDS = 2_000  # characters
BAD = ("failed", "cancelled", "lost", "paused")


class Queued:
    """Runs by name and seed: one that is there is not queued again, one that ended badly goes on.

    Args:
        folder: of the registry; made where it is missing.
        device: as `bertmt worker --device` takes it.
    """

    def __init__(self, folder: Path, device: str = "auto"):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "runs.db"
        self._device = device

    def call(self, *words: str, shows: bool = False) -> str:
        """What a command of bertmt wrote.

        Args:
            shows: leave its output to the terminal instead.

        Raises:
            RuntimeError: its exit code was not 0; with its last words.
        """
        done = subprocess.run(
            [sys.executable, "-m", "bertmt", *words],
            env={**os.environ, "BERTMT_DB": str(self.path)},
            stdout=None if shows else subprocess.PIPE,
            stderr=None if shows else subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            said = ((done.stdout or "") + (done.stderr or ""))[-LAST_WORDS:]
            raise RuntimeError(f"`bertmt {' '.join(words)}` ended with {done.returncode}. {said}")
        return done.stdout or ""

    def runs(self) -> list[dict[str, Any]]:
        """All runs, as `bertmt runs --json` has them."""
        if not self.path.exists():
            return []
        found: list[dict[str, Any]] = json.loads(self.call("runs", "--json"))["runs"]
        return found

    def bring(self, name: str, preset: str, settings: Mapping[str, Any], seeds: Sequence[int]) -> list[str]:
        """Queue the seeds that are missing, and let those go on that ended badly; the ids in the order of the seeds."""
        known = {run["seed"]: run for run in self.runs() if run["name"] == name}
        broken = [run["id"] for seed, run in known.items() if seed in seeds and run["state"] in BAD]
        if broken:
            self.call("requeue", *broken)
        missing = [seed for seed in seeds if seed not in known]
        if missing:
            sets = [f"--set={key}={shown(value)}" for key, value in settings.items()]
            wanted = [f"--seed={seed}" for seed in missing]
            self.call("queue", "--preset", preset, "--name", name, "--again", *sets, *wanted, "--json")
        known = {run["seed"]: run for run in self.runs() if run["name"] == name}
        return [str(known[seed]["id"]) for seed in seeds]

    def work(self) -> None:
        """Work the queue until it is empty."""
        if any(run["state"] in ("queued", "running") for run in self.runs()):
            self.call("worker", "--drain", "--device", self._device, shows=True)

    def details(self, run_id: str) -> dict[str, Any]:
        """A run as `bertmt show --json` has it."""
        found: dict[str, Any] = json.loads(self.call("show", run_id, "--json"))
        return found

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """What a run's children told, attempt after attempt."""
        files = sorted((self.path.parent / "runs" / run_id).glob("events-*.jsonl"))
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def finished(self, run_id: str) -> dict[str, Any]:
        """What a run's child told at its end.

        Raises:
            RuntimeError: it did not come to it.
        """
        found = [event for event in self.events(run_id) if event["event"] == "finished"]
        if not found:
            raise RuntimeError(f"Run {run_id} did not finish; `bertmt --db {self.path} show {run_id}` says why.")
        return found[-1]


def shown(value: Any) -> str:
    """A setting's value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)


def differences(path: Path, reference: str, arm: str) -> list[dict[str, Any]]:
    """What the program's comparison says of two names: a row per score, with its verdict.

    Of several seeds it is the one over seeds.
    """
    from bertmt.api import open_registry  # noqa: PLC0415 - it needs scipy

    found = open_registry(path, read_only=False).compare(reference, arm).differences
    rows = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    return [
        {key: row[key] for key in ("task", "reference_score", "score", "difference", "low", "high", "p_corrected")}
        | {"verdict": row["verdict"], "paired_by": row["paired_by"], "n": row["n"]}
        for row in rows
    ]


def mean_scores(queued: Queued, ids: Sequence[str]) -> dict[str, float]:
    """Dev scores by task, the means over runs; what one of them has not is left out."""
    scores = [queued.details(run_id)["run"]["scores"] for run_id in ids]
    return {
        task: round(sum(each[task] for each in scores) / len(scores), 5)
        for task in scores[0]
        if all(each.get(task) is not None for each in scores)
    }
