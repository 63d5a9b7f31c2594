"""What the event files of an older version become in a new registry: to the last value what that version made of them.

`every-kind` has the events that no run of the archive has, by the writer of its time, with torn and damaged lines after
them. `<archive>.replayed.json` holds what became of both before events had types. None of this is ever made anew.
"""

import json
import shutil
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, evaluations
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Unknown, to_json
from bertmt.services.ingest.import_run import import_runs

HERE = Path(__file__).parents[1] / "fixtures" / "upgrades"
ARCHIVES = [path.with_name(path.name.replace(".replayed.json", ".tar.xz")) for path in HERE.glob("*.replayed.json")]
EVERY_KIND = {"twoatt": 2, "threea": 3}  # by run id, its last attempt: the third starts from the beginning
RUN_COLUMNS = (
    "name, preset, seed, state, attempt, device, failure, started_at, ended_at, saves_memory, events_attempt,"
    " events_offset"
)
SUMMARY_COLUMNS = (
    "phase, step, steps_total, epoch, epochs_total, seconds_left, selected_epoch, scores, overall, last_event_at,"
    " checkpoint_step, started, finished"
)


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.xz"))
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(request.param) as packed:
        packed.extractall(folder, filter="data")
    add_runs_of_every_kind(folder / "runs")
    return request.param, folder


def add_runs_of_every_kind(runs: Path) -> None:
    """Beside the runs of an archive two whose attempts tell all that a child can tell."""
    template = min(runs.iterdir())
    for run_id, last_attempt in EVERY_KIND.items():
        target = shutil.copytree(template, runs / run_id)
        order = json.loads((target / "run.json").read_text(encoding="utf-8"))
        about = {"run_id": run_id, "name": "every kind", "attempt": last_attempt}
        (target / "run.json").write_text(json.dumps(order | about), encoding="utf-8")
        for path in target.glob("events-*"):
            path.unlink()
        for attempt in range(1, last_attempt + 1):
            name = f"events-{attempt}.jsonl"
            shutil.copyfile(HERE / "every-kind" / name, target / name)


def rows(database: Database, table: str, columns: str, run: int, rest: str = "") -> list[Any]:
    return [list(row) for row in database.execute(f"SELECT {columns} FROM {table} WHERE run = ? {rest}", (run,))]


def imported(database: Database, run: Run, folder: Any) -> dict[Any, Any]:
    """Everything that the registry holds of a run, but when it was imported and from where."""
    names = dict(database.execute("SELECT key, name FROM series"))
    points: dict[Any, Any] = {}
    for key, step, value in rows(database, "metrics", "series, step, value", run.key, "ORDER BY series, step"):
        points.setdefault(names[key], []).append([step, value])
    [summary] = rows(database, "summaries", SUMMARY_COLUMNS, run.key)
    place = SUMMARY_COLUMNS.split(", ").index("scores")
    scores = json.loads(summary[place])
    summary[place : place + 1] = [scores.get(task) for task in ("sst", "para", "sts")]
    summary[-2:] = [json.loads(text) if text else None for text in summary[-2:]]
    transitions = "attempt, state_before, state_after, actor, reason"
    about = database.execute(f"SELECT {RUN_COLUMNS} FROM runs WHERE key = ?", (run.key,)).fetchone()
    predictions = rows(
        database, "predictions", "task, epoch, split, fingerprint, probabilities", run.key, "ORDER BY task, epoch"
    )
    return {
        "run": list(about),
        "summary": summary,
        "history": [
            [str(each).replace(str(folder), "FOLDER") if isinstance(each, str) else each for each in row]
            for row in rows(database, "transitions", transitions, run.key)
        ],
        "evaluations": [
            [
                run.key,
                each.epoch,
                each.step,
                *(each.score(name) for name in ("sst", "para", "sts", "overall")),
                each.seconds,
            ]
            for each in evaluations(database, run)
        ],
        "points": points,
        "predictions": [[*row[:-1], sha256(row[-1]).hexdigest()[:16]] for row in predictions],
    }


def replayed(folder: Any, registry: Path) -> dict[Any, Any]:
    """By run id, what the run folders become in a new registry."""
    with open_registry(registry, create=True) as database:
        _, refused = import_runs(database, sorted((folder / "runs").iterdir()))
        assert refused == []
        return {run.id: imported(database, run, folder) for run in sorted(all_runs(database), key=lambda run: run.id)}


def test_every_row_of_an_older_version_comes_out_as_it_did_then(archive: Any, tmp_path: Path) -> None:
    path, folder = archive
    golden = json.loads(path.with_suffix("").with_suffix(".replayed.json").read_text(encoding="utf-8"))
    found = replayed(folder, tmp_path / "runs.db")
    assert found.keys() == golden.keys() and len(found) == 6
    for run, tables in golden.items():
        for table, expected in tables.items():
            if table == "summary":  # what the child told at its start and end may have more keys now
                for told, then in zip(found[run][table][-2:], expected[-2:], strict=True):
                    assert (told or {}).items() >= (then or {}).items() and (told is None) == (then is None)
                found[run][table][-2:] = expected[-2:]
            assert found[run][table] == expected, (run, table)


def test_no_event_of_an_older_version_loses_anything(archive: Any) -> None:
    """Written anew, each event has all that its line had."""
    _, folder = archive
    for path in sorted((folder / "runs").glob("*/events-*.jsonl")):
        events, end, broken = read_events(path)
        lines = path.read_bytes().splitlines()
        assert end == path.stat().st_size and len(events) == len(lines) - broken
        assert broken == (8 if path.parent.name in EVERY_KIND and path.stem == "events-2" else 0)
        for line, event in zip(lines, events, strict=False):
            told = json.loads(line.replace(rb"\udcff", b"?"))
            if not isinstance(event, Unknown):
                assert json.loads(to_json(event)).items() >= told.items()
