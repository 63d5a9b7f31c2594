"""Events as no child writes them, imported into a real registry: it stays whole, and no other run is touched."""

import json
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from command_lines import call, contents
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged_bytes, damaged_document
from registry_builder import COUNT, EPOCHS, EXAMPLES, RegistryBuilder, evaluate
from sentences import answered

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.run_folder.event_files import tail_lines
from bertmt.run_folder.events import Failed, Finished, Resumed, Step, now
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.services.ingest.ingest import ingest
from bertmt.tasks.examples import Example, fingerprint

OUTSIDE = 77  # the epoch of predictions that lie outside of the run's folder
MARK = fingerprint(EXAMPLES["sst"])
ODD_FILES: dict[str, tuple[str, str, int, str, Any]] = {
    "flat.npz": ("sst", "dev", 1, MARK, np.ones(COUNT, np.float32)),
    "cube.npz": ("sst", "dev", 1, MARK, np.ones((COUNT, 5, 2), np.float32)),
    "wide.npz": ("para", "dev", 1, fingerprint(EXAMPLES["para"]), np.ones((COUNT, 3), np.float32)),
    "empty.npz": ("sst", "dev", 1, MARK, np.ones((0, 5), np.float32)),
    "scalar.npz": ("sts", "dev", 1, MARK, np.float32(1)),
    "short.npz": ("sst", "dev", 1, MARK, np.ones((3, 5), np.float32)),
    "nan.npz": ("sst", "dev", 1, MARK, np.full((COUNT, 5), np.nan, np.float32)),
    "unknown-task.npz": ("qqp", "dev", 1, MARK, np.ones(COUNT, np.float32)),
    "huge-epoch.npz": ("sst", "dev", 10**30, MARK, np.ones((COUNT, 5), np.float32)),
    "negative-epoch.npz": ("sst", "dev", -1, MARK, np.ones((COUNT, 5), np.float32)),
    "surrogate.npz": ("sst", "dev", 1, "\ud800", np.ones((COUNT, 5), np.float32)),
    "other-data.npz": ("sst", "dev", 1, "0" * 16, np.ones((COUNT, 5), np.float32)),
}
FILES = [*ODD_FILES, "001-sst-dev.npz", "002-sts-dev.npz", "../../outside.npz", "..", "", "a/../001-sst-dev.npz",
         "missing.npz", "folder.npz", "text.npz", "strings.npz", "\0", "\ud800", 7, None]  # fmt: skip
COMMANDS = (
    "runs --json", "runs --sort -overall --filter state:finished,failed,lost", "show victim", "show victim --json",
    "curves victim", "curves victim --json --smooth 0.5", "confusion victim", "confusion victim --baseline --json",
    "export victim --jsonl", "export victim --what predictions --jsonl", "export victim --what predictions",
    "compare base victim", "compare victim base --json", "logs victim", "baseline", "doctor",
)  # fmt: skip


def odd_predictions(folder: RunFolder) -> None:
    """Prediction files that no child writes, within the run's folder and outside of it."""
    predictions = folder.path / "predictions"
    for name, (task, split, epoch, mark, values) in ODD_FILES.items():
        write_predictions(predictions / name, Predictions(task, split, epoch, mark, values))
    outside = Predictions("sst", "dev", OUTSIDE, MARK, np.ones((COUNT, 5), np.float32))
    write_predictions(folder.path.parent.parent / "outside.npz", outside)
    (predictions / "folder.npz").mkdir()
    (predictions / "text.npz").write_bytes(b"PK no archive")
    about = np.array(["sst", "dev", "1", MARK])
    np.savez(predictions / "strings.npz", about=about, probabilities=np.array([["x"] * 5] * COUNT))


@pytest.fixture
def victim(place: Path) -> tuple[Run, RunFolder]:
    """A running run among others: its key, its folder, and the events of its child up to the last."""
    builder = RegistryBuilder(place / "runs.db")
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, folder, events = builder.started("victim")
    for epoch in range(EPOCHS + 1):
        evaluate(folder, events, run.recipe["tasks"], epoch, 0.5)
        for step in range(3):
            events.write(
                Step(
                    at=now(),
                    step=epoch * 3 + step,
                    epoch=epoch,
                    phase="train",
                    values={"loss/sst": 0.5, "tokens_per_second": 9.0},
                    seconds_left=1.0,
                )
            )
    events.write(Resumed(at=now(), step=4, evaluated_epoch=1, evaluated_step=3))
    events.write(Finished(
        at=now(), epoch=EPOCHS, step=9, selected_epoch=1, scores={"sst": 0.5}, seconds={"training": 1.5},
        peak_memory_mib=46, examples={"sst": 48}, passes={"sst": 0.5}, tokens={"sst": 9}, model=False, remarks=["Said"],
    ))  # fmt: skip
    events.write(Failed(at=now(), error="ValueError: no", step=4))
    odd_predictions(folder)
    builder.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    builder.database.close()
    shutil.copyfile(place / "runs.db", place / "template.db")
    return run, folder


@st.composite
def streams(draw: st.DrawFn, events: Any) -> bytes:
    """Lines of events: some valid, some with other keys and values; then, sometimes, damaged as bytes."""
    lines = [json.dumps(events[0])] if draw(st.booleans()) else []
    for event in draw(st.lists(st.sampled_from(events), max_size=8)):
        changed = draw(damaged_document(event, FILES, most=2)) if draw(st.booleans()) else dict(event)
        if isinstance(changed.get("predictions"), list) and draw(st.booleans()):
            entry = {"task": "sst", "split": "dev", "file": draw(st.sampled_from(FILES)), "fingerprint": MARK}
            changed["predictions"] = [*changed["predictions"], entry]
        lines.append(json.dumps(changed))
    content = "".join(f"{line}\n" for line in lines).encode()
    return draw(damaged_bytes(st.just(content), 2)) if draw(st.booleans()) else content


@pytest.fixture
def valid(victim: tuple[Run, RunFolder]) -> list[Any]:
    """The events that the child wrote."""
    _, folder = victim
    return [json.loads(line) for line in tail_lines(folder.events(1), 100)]


@given(data=st.data(), command=st.sampled_from(COMMANDS))
def test_any_events_leave_the_registry_whole_and_other_runs_untouched(
    place: Path, victim: tuple[Run, RunFolder], valid: Any, data: st.DataObject, command: Any
) -> None:
    run, folder = victim
    for name in ("runs.db", "runs.db-wal", "runs.db-shm"):
        (place / name).unlink(missing_ok=True)
    shutil.copyfile(place / "template.db", place / "runs.db")
    folder.events(1).write_bytes(data.draw(streams(valid)))
    with answered(), open_registry(place / "runs.db") as database:
        database.execute("PRAGMA synchronous = OFF")
        before = contents(database, run.key)
        after = ingest(database, run_by_key(database, run.key))
        check_others(before, contents(database, run.key))
        whole = contents(database)
        assert ingest(database, after) == after and contents(database) == whole
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert after.state in (State.RUNNING, State.FINISHED, State.FAILED)
        query = "SELECT count(*) FROM predictions WHERE epoch = ?"
        assert database.execute(query, (OUTSIDE,)).fetchone() == (0,)
        hypothesis.event(str(after.state))
    code, _, _ = call(*command.split())
    hypothesis.event(f"exit code {code} of {command.split()[0]}")


def check_others(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> None:
    """Rows that are of no run may become more; those of other runs stay as they are."""
    for table, rows in before.items():
        if table in ("series", "splits", "examples"):
            assert all(row in after[table] for row in rows), table
        elif table != "sqlite_sequence":
            assert after[table] == rows, table


def test_examples_of_the_wrong_types_are_not_imported(place: Path, victim: tuple[Run, RunFolder]) -> None:
    run, folder = victim
    for strange in (Example(7, "a"), Example("e", ["a"]), Example("e", "a", 3), Example("e", "a", None, "x")):  # type: ignore[arg-type]  # that is the point
        mark = fingerprint([strange])
        write_examples(folder.examples("sst", "dev"), [strange])
        write_predictions(folder.path / "predictions" / "x.npz", Predictions("sst", "dev", 1, mark, np.eye(5)[[0]]))
        entry = {"task": "sst", "split": "dev", "file": "x.npz", "fingerprint": mark}
        event = {"event": "evaluated", "at": now(), "epoch": 1, "step": 1, "scores": {}, "predictions": [entry]}
        with folder.events(1).open("a") as file:
            file.write(json.dumps(event) + "\n")
        with open_registry(place / "runs.db") as database:
            ingest(database, run_by_key(database, run.key))
            query = "SELECT count(*) FROM splits WHERE fingerprint = ?"
            assert database.execute(query, (mark,)).fetchone() == (0,)
        call("confusion", "victim", "--epoch", "1")
