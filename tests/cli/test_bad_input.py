"""What the fuzzer found in commands: tracebacks of bad words, files and registries, and half-done work."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import registry_builder
from command_outcome import Outcome

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.run_folder.predictions import Predictions, read_predictions, write_predictions
from bertmt.services.ingest.ingest import folder_of, ingest


@pytest.mark.parametrize(
    "command",
    [
        "cancel later base", "hold later base", "release held base", "move later base --last", "requeue silent base",
        "edit later base --set epochs=3", "tag base later --remove night",
    ],
)  # fmt: skip
def test_a_command_for_several_runs_does_all_or_nothing(
    bertmt: Callable[..., Outcome],
    builder: registry_builder.RegistryBuilder,
    registry: Path,
    run_named: Callable[..., Run],
    command: str,
) -> None:
    silent = builder.add("silent")
    builder.database.execute("UPDATE runs SET state = 'lost' WHERE key = ?", (silent.key,))
    builder.database.execute("INSERT INTO tags VALUES (?, 'night')", (run_named("base").key,))
    before = builder.database.execute("SELECT * FROM runs").fetchall(), run_named("base").annotations.tags
    outcome = bertmt(*command.split())
    assert outcome.code in (3, 4) and outcome.out == ""
    assert (builder.database.execute("SELECT * FROM runs").fetchall(), run_named("base").annotations.tags) == before


def test_no_run_is_removed_where_one_of_them_runs(
    bertmt: Callable[..., Outcome],
    builder: registry_builder.RegistryBuilder,
    registry: Path,
    run_named: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    builder.started("going")
    monkeypatch.setattr("bertmt.services.ingest.reconcile.is_alive", lambda folder: True)
    assert bertmt("rm", "base", "going", "--yes").code == 4
    assert run_named("base").state == "finished"


@pytest.mark.parametrize("command", ["show \udcff", "note base \udcff", "tag base \udcff", "runs --filter \udcff"])
def test_a_word_that_is_no_utf_8_is_no_fault_of_the_program(
    bertmt: Callable[..., Outcome], registry: Path, command: str
) -> None:
    outcome = bertmt(*command.split())
    assert outcome.code in (0, 2, 3) and "Traceback" not in outcome.err


def test_a_number_that_the_registry_cannot_hold_is_a_sentence(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("confusion", "base", "--epoch", "9" * 20)
    assert outcome.code == 2 and "too many digits" in outcome.err


def test_a_drawing_larger_than_any_screen_is_refused(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bertmt("curves", "base", "--width", "1000000000").code == 2
    monkeypatch.setenv("COLUMNS", "1000000000")
    assert bertmt("curves", "base").code == 0


@pytest.mark.parametrize("where", ["--db", "BERTMT_DB"])
def test_a_registry_in_a_home_folder_of_nobody_is_not_found(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("BERTMT_DB", "~no-such-user/runs.db")
    outcome = bertmt("runs", *(["--db", "~no-such-user/runs.db"] if where == "--db" else []))
    assert outcome.code == 3 and "~no-such-user" in outcome.err


@pytest.mark.parametrize("command", ["show base", "curves base", "export base", "logs base", "compare base better"])
def test_a_run_folder_that_cannot_be_read_is_a_sentence(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run], command: str
) -> None:
    run = run_named("base")
    for name in ("events-1.jsonl", "log-1.txt"):
        path = registry.parent / "runs" / run.id / name
        path.unlink()
        path.mkdir()
    outcome = bertmt(*command.split())
    assert outcome.code in (2, 3) and "Traceback" not in outcome.err
    assert bertmt("runs").code == 0
    assert bertmt("rm", "base", "--yes").code == 0


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("runs", "recipe", "{"),
        ("runs", "recipe", '{"tasks": ["sst"], "epoch_steps": "x"}'),
        ("runs", "state", "asleep"),
        ("runs", "name", b"bytes"),
        ("summaries", "finished", "null"),
        ("summaries", "scores", '{"sst": "x"}'),
        ("snapshots", "environment", "no"),
        ("predictions", "probabilities", b"123"),
    ],
)
def test_a_registry_that_holds_what_nobody_wrote_is_a_sentence(
    bertmt: Callable[..., Outcome], registry: Path, table: str, column: str, value: str | bytes
) -> None:
    with open_registry(registry) as database:
        database.execute(f"UPDATE {table} SET {column} = ?", (value,))
    commands = ("runs --filter lora>0", "show base", "show base --json", "confusion base", "compare base better")
    outcomes = [bertmt(*command.split()) for command in commands]
    assert all("fault of bertmt" not in each.err for each in outcomes), [each.err for each in outcomes]
    assert any(each.code == 1 and "is damaged (" in each.err for each in outcomes)


def test_a_fault_in_a_sound_registry_is_still_a_fault(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.services.browse.lookup.find_run", lambda *_: dict[str, str]()["nothing"])
    assert "fault of bertmt" in bertmt("show", "base").err


def test_an_id_that_leads_out_of_the_folder_of_runs_reaches_nothing(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    (registry.parent / "precious").mkdir()
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET id = '../precious' WHERE name = 'base'")
    assert bertmt("rm", "base", "--yes").code == 1
    assert (registry.parent / "precious").is_dir()


def test_predictions_of_a_diverged_model_are_exported_as_null(
    bertmt: Callable[..., Outcome],
    builder: registry_builder.RegistryBuilder,
    registry: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    real = registry_builder.guesses
    monkeypatch.setattr(registry_builder, "guesses", lambda task, right: real(task, right) * np.float32("nan"))
    builder.finished("diverged")
    lines = bertmt("export", "diverged", "--what", "predictions", "--jsonl").out.splitlines()
    assert {tuple(json.loads(line)["probabilities"]) for line in lines} == {(None,) * 5, (None,)}


def test_predictions_of_another_split_than_their_event_says_are_not_imported(
    builder: registry_builder.RegistryBuilder, registry: Path
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, folder, events = builder.started("mixed")
    registry_builder.evaluate(folder, events, ["sst", "para"], 1, 0.5)
    path = folder_of(builder.database, run).predictions(1, "sst", "dev")
    found = read_predictions(path)
    write_predictions(path, Predictions("sst", "dev", 1, "0" * 16, found.probabilities))
    events.close()
    ingest(builder.database, run)
    tasks = builder.database.execute("SELECT task FROM predictions WHERE run = ?", (run.key,)).fetchall()
    assert tasks == [("para",)]


def test_a_sort_by_a_word_of_two_settings_is_a_whole_sentence(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("runs", "--sort", "layers")
    assert outcome.code == 2 and outcome.err.endswith("write head.sst.layers or head.para.layers.\n")


def test_a_schema_that_is_no_utf_8_is_a_sentence(bertmt: Callable[..., Outcome], registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = registry.read_bytes()
    at = content.index(b"CREATE TABLE evaluations") + len(b"CREATE TABLE evaluation")
    registry.write_bytes(content[:at] + b"\x80" + content[at + 1 :])
    outcome = bertmt("runs")
    assert outcome.code == 1 and "cannot be used" in outcome.err and "Traceback" not in outcome.err


def test_predictions_of_fewer_examples_than_there_are_cannot_be_compared(
    bertmt: Callable[..., Outcome],
    builder: registry_builder.RegistryBuilder,
    registry: Path,
    run_named: Callable[..., Run],
) -> None:
    row = "UPDATE predictions SET probabilities = substr(probabilities, 1, 20) WHERE task = 'sst' AND run = ?"
    builder.database.execute(row, (run_named("better").key,))
    outcome = bertmt("compare", "base", "better")
    assert outcome.code == 0 and "sst: the dev examples are not in the registry" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    "command", [("runs",), ("queue", "--preset", "baseline", "--data", "toy", "--encoder", "tiny")]
)
def test_a_registry_that_is_a_folder_is_called_one(
    bertmt: Callable[..., Outcome], folder: Path, command: tuple[str, ...]
) -> None:
    outcome = bertmt(*command, "--db", str(folder))
    assert outcome.code == 1 and "it is a folder; name a file with --db." in outcome.err
