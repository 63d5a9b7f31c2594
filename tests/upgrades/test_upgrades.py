"""What older versions left, read by this one; `tests/fixtures/upgrades/make_archive.py` made it.

An archive holds two finished runs, "shared" and "ensembled", and the same two recipes paused in the middle.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from bertmt.registry.database import SCHEMA_VERSION
from bertmt.registry.file.opening import open_registry

ARCHIVES = sorted((Path(__file__).parents[1] / "fixtures" / "upgrades").glob("*.tar.xz"))
RECIPES = ("shared", "ensembled")


class Upgraded:
    """A copy of what an older version left, and this version's command line on it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.about = json.loads((folder / "about.json").read_text(encoding="utf-8"))

    def bertmt(self, *words: Any, registry: str = "runs.db") -> str:
        """What a command writes to stdout; on one core, as when the archive was made."""
        place = {"BERTMT_CACHE": str(self.folder / "cache"), "BERTMT_DB": str(self.folder / registry)}
        done = subprocess.run(
            [sys.executable, "-m", "bertmt", *words], cwd=self.folder, env={**os.environ, **place},
            capture_output=True, text=True, preexec_fn=one_core,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def runs(self, registry: str = "runs.db") -> dict[Any, Any]:
        listed = json.loads(self.bertmt("runs", "--json", registry=registry))["runs"]
        return {run["name"]: run for run in listed}

    def run_folder(self, name: str) -> Any:
        return self.folder / "runs" / self.runs()[name]["id"]

    def resume(self, name: str) -> Any:
        """The run once it has come to its end."""
        self.bertmt("resume", name)
        self.bertmt("worker", "--device", "cpu", "--drain")
        return self.runs()[name]


def one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.xz"))
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(request.param) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def older(unpacked: Path, tmp_path: Path) -> Upgraded:
    return Upgraded(shutil.copytree(unpacked, tmp_path / "copy"))


def scores_of(runs: Any) -> dict[Any, Any]:
    return {name: run["scores"] for name, run in runs.items()}


def predictions_of(folder: Any) -> dict[Any, Any]:
    """Per file, the model's probabilities."""
    found = {}
    for path in sorted((folder / "predictions").iterdir()):
        with np.load(path, allow_pickle=False) as arrays:
            found[path.name] = arrays["probabilities"]
    return found


def test_there_is_something_to_upgrade() -> None:
    assert ARCHIVES


def test_an_older_registry_is_brought_up_to_date_and_lists_what_it_listed(older: Upgraded) -> None:
    listed = {name: {key: run[key] for key in ("state", "scores")} for name, run in older.runs().items()}
    assert listed == older.about["scores"]
    with open_registry(older.folder / "runs.db", read_only=True) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION


@pytest.mark.parametrize("name", ["shared", "ensembled-paused"])
def test_a_run_of_an_older_version_is_shown(older: Upgraded, name: str) -> None:
    shown = json.loads(older.bertmt("show", name, "--json"))
    assert older.about["scores"][name]["state"] in json.dumps(shown)
    for command in ("show", "curves", "confusion", "logs"):
        assert older.bertmt(command, name)


def test_finished_runs_of_an_older_version_are_compared(older: Upgraded) -> None:
    compared = json.loads(older.bertmt("compare", *RECIPES, "--json"))
    expected = [older.about["scores"][name]["scores"] for name in RECIPES]
    [arm] = compared["arms"]
    assert [compared["reference"]["scores"], arm["scores"]] == expected
    before, after = expected
    found = {each["task"]: each["difference"] for each in arm["differences"]}
    assert {task: found[task] for task in ("sst", "para", "sts")} == pytest.approx(
        {task: after[task] - before[task] for task in ("sst", "para", "sts")}
    )


def test_the_event_files_of_an_older_version_give_the_same_scores_in_a_new_registry(older: Upgraded) -> None:
    before = older.runs()
    folders = [str(path) for path in sorted((older.folder / "runs").iterdir())]
    older.bertmt("import-run", *folders, registry="anew/runs.db")
    after = older.runs("anew/runs.db")
    assert scores_of(after) == scores_of(before)
    states = {name: run["state"] for name, run in after.items()}
    # What was stopped comes without a worker, and never into the queue.
    assert states == {name: "finished" if name in RECIPES else "cancelled" for name in states}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_paused_by_an_older_version_starts_over_and_says_so(older: Upgraded, recipe: str) -> None:
    straight, paused = older.run_folder(recipe), older.run_folder(f"{recipe}-paused")
    run = older.resume(f"{recipe}-paused")
    assert (run["state"], run["failure"]) == ("finished", None)
    events = (paused / "events-2.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [each["step"] for each in map(json.loads, events) if each["event"] == "step"]
    assert steps == list(range(run["steps_total"]))
    said = older.bertmt("show", f"{recipe}-paused")
    assert "its format is 1, this bertmt reads 2; the run starts from the beginning" in " ".join(said.split())
    # Partial scores are what this version adds.
    whole = {name for name in predictions_of(paused) if "partial" not in name}
    assert whole == predictions_of(straight).keys()
    weights = [safetensors.numpy.load_file(each / "model" / "model.safetensors") for each in (paused, straight)]
    assert weights[0].keys() == weights[1].keys()


def test_checkpoints_that_this_version_cannot_read_are_refused_in_a_sentence_and_kept(older: Upgraded) -> None:
    paused = older.run_folder("shared-paused")
    manifests = sorted(paused.glob("checkpoints/*/manifest.json"))
    for manifest in manifests:
        content = json.loads(manifest.read_text(encoding="utf-8")) | {"format": 1_000_000}
        manifest.write_text(json.dumps(content), encoding="utf-8")
    run = older.resume("shared-paused")
    assert run["state"] == "failed" and "`bertmt requeue --from-start`" in run["failure"]
    assert "Traceback" not in (paused / "log-2.txt").read_text(encoding="utf-8")
    assert sorted(paused.glob("checkpoints/*/manifest.json")) == manifests
