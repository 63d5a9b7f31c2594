"""Run folders from elsewhere: the same rows as where they were trained, whole or not at all, and nothing hostile."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from present import present
from registry_builder import RegistryBuilder, evaluate

from bertmt.errors import BertmtError, BusyError, NotFoundError
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run, reader_of
from bertmt.registry.runs import all_runs, forget, run_by_key, transitions
from bertmt.registry.states import State
from bertmt.run_folder.copying import copy_run_folder
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Checkpointed, Failed, Finished, Resumed, Started, Step, Stopped, now
from bertmt.run_folder.layout import RunFolder, RunOrder, hold_alive, is_alive
from bertmt.services.ingest.import_run import import_run, import_runs
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.lifecycle import removal
from bertmt.services.lifecycle.removal import delete_folder

MEASURED = {
    "metrics": "SELECT series.name, step, value FROM metrics JOIN series ON series.key = series WHERE run = ?",
    "evaluations": "SELECT epoch, step, overall, seconds FROM evaluations WHERE run = ?",
    "scores": "SELECT epoch, task, metric, value FROM scores WHERE run = ?",
    "predictions": "SELECT task, split, epoch, fingerprint, columns, probabilities FROM predictions WHERE run = ?",
    "summaries": "SELECT phase, step, steps_total, epoch, epochs_total, seconds_left, selected_epoch, scores, overall,"
    " last_event_at, checkpoint_step, started, finished FROM summaries WHERE run = ?",
}


def measured(database: Database, run: Run) -> dict[Any, Any]:
    """All that was imported of a run, in an order of its own."""
    return {table: sorted(map(repr, database.execute(sql, (run.key,)))) for table, sql in MEASURED.items()}


def everything(database: Database) -> dict[Any, Any]:
    tables = ("runs", "summaries", "metrics", "transitions", "snapshots", "splits", "examples", "series")
    return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[RegistryBuilder]:
    """A registry on another machine."""
    made = RegistryBuilder(tmp_path / "elsewhere" / "runs.db")
    yield made
    made.database.close()


@pytest.fixture
def attempts_of(elsewhere: RegistryBuilder) -> tuple[Run, RunFolder]:
    """A run whose first attempt was stopped at step 3 and whose second went on from step 2, to its end."""
    run, folder, events = elsewhere.started("resumed", tasks=["sst"])
    for step in range(3):
        events.write(
            Step(
                at=now(),
                step=step,
                epoch=1,
                phase="train",
                values={"loss/sst": 1.0 + step, "only/first": 1.0},
                seconds_left=None,
            )
        )
    evaluate(folder, events, ["sst"], 1, 0.3)
    events.write(Checkpointed(at=now(), step=2, mib=1.0, seconds=0.1))
    events.write(Stopped(at=now(), step=3, signal="SIGTERM"))
    events.close()
    run = ingest(elsewhere.database, run)
    assert run.state is State.QUEUED
    run = present(claim_next(elsewhere.database, None, "cpu"))
    folder.create(
        RunOrder(
            run_id=run.id,
            name=run.name,
            attempt=2,
            data=run.submission.data,
            extra_data_file="",
            fingerprints=dict(run.submission.fingerprints),
        ),
        run.submission.recipe_json,
    )
    events = EventWriter(folder.events(2))
    events.write(Started(at=now(), attempt=2, pid=1, steps_total=6, epochs_total=2, resumes=True))
    events.write(Resumed(at=now(), step=2, evaluated_epoch=-1, evaluated_step=-1, differences=[]))
    for step in range(2, 6):
        events.write(
            Step(at=now(), step=step, epoch=1, phase="train", values={"loss/sst": 10.0 + step}, seconds_left=None)
        )
    evaluate(folder, events, ["sst"], 2, 0.7)
    events.write(Finished(at=now(), epoch=2, step=6, selected_epoch=2))
    events.close()
    return ingest(elsewhere.database, run), folder


def test_an_imported_run_has_the_rows_that_it_has_where_it_was_trained(
    database: Database, elsewhere: RegistryBuilder
) -> None:
    run = elsewhere.finished("base", right=0.4, seed=7)
    imported = import_run(database, folder_of(elsewhere.database, run).path)
    assert measured(database, imported) == measured(elsewhere.database, run)
    same = ("id", "name", "preset", "recipe_json", "digest", "seed", "data", "state", "attempt", "device", "ended_at")
    assert {name: reader_of(name)(imported) for name in same} == {name: reader_of(name)(run) for name in same}
    examples = "SELECT * FROM splits JOIN examples ON split = key ORDER BY fingerprint, position"
    assert len(database.execute(examples).fetchall()) == len(elsewhere.database.execute(examples).fetchall()) > 0


def test_all_attempts_are_imported_in_their_order(
    database: Database, elsewhere: RegistryBuilder, attempts_of: tuple[Run, RunFolder]
) -> None:
    run, folder = attempts_of
    imported = import_run(database, folder.path)
    assert measured(database, imported) == measured(elsewhere.database, run)
    assert (imported.state, imported.attempt, imported.submission.fingerprints) == (
        State.FINISHED,
        2,
        run.submission.fingerprints,
    )
    actors = {each.actor for each in transitions(database, imported.key)}
    assert actors == {"import", "event"}


def test_a_copy_is_private_and_holds_what_is_of_the_run_alone(database: Database, elsewhere: RegistryBuilder) -> None:
    folder = folder_of(elsewhere.database, elsewhere.finished("base")).path
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_bytes(b"w")
    (folder / "checkpoints" / "000001").mkdir(parents=True)
    (folder / ".run.json.0123").write_text("half")
    (folder / "thesis.tex").write_text("mine")
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o777)
    copy = folder_of(database, import_run(database, folder)).path
    names = {str(each.relative_to(copy)) for each in copy.rglob("*")}
    assert {"model/weights", "checkpoints/000001", "run.json"} <= names
    assert not names & {".run.json.0123", "thesis.tex"}
    assert {each.stat().st_mode & 0o077 for each in (copy, *copy.rglob("*"))} == {0}
    assert [each.name for each in copy.parent.iterdir()] == [copy.name]


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (Failed(at=now(), error="ValueError: no", step=2), State.FAILED),
        (Failed(at=now(), error="CUDA out of memory", step=2, out_of_memory=True), State.FAILED),
        (Stopped(at=now(), step=2, signal="SIGTERM"), State.CANCELLED),
        (None, State.LOST),
    ],
)
def test_an_imported_run_never_waits_in_the_queue(
    database: Database, elsewhere: RegistryBuilder, last: Failed | Stopped | None, state: State
) -> None:
    _, folder, events = elsewhere.started("ends")
    if last:
        events.write(last)
    events.close()
    run = import_run(database, folder.path)
    assert (run.state, run.execution.failure) == (state, getattr(last, "error", None))
    assert run.execution.ended_at == run.progress.last_event_at
    assert claim_next(database, None, "cpu") is None


def test_a_run_whose_child_never_began_is_lost(database: Database, elsewhere: RegistryBuilder) -> None:
    _, folder, events = elsewhere.started("never")
    events.close()
    folder.events(1).unlink()
    assert import_run(database, folder.path).state is State.LOST


def test_a_folder_beside_a_new_registry_is_registered_where_it_lies(elsewhere: RegistryBuilder) -> None:
    run = elsewhere.finished("base")
    before = measured(elsewhere.database, run)
    elsewhere.database.close()
    for path in elsewhere.database.path.parent.glob("runs.db*"):
        path.unlink()
    with open_registry(elsewhere.database.path, create=True) as anew:
        imported = import_run(anew, folder_of(anew, run).path)
        assert measured(anew, imported) == before


def test_importing_twice_refuses_and_changes_nothing(database: Database, elsewhere: RegistryBuilder) -> None:
    run = elsewhere.finished("base")
    folder = folder_of(elsewhere.database, run).path
    imported = import_run(database, folder)
    before = everything(database)
    for source in (folder, folder_of(database, imported).path):
        with pytest.raises(BusyError, match=rf"{run.id} is already here: base, seed"):
            import_run(database, source)
    assert everything(database) == before
    removal.delete(database, imported)
    with pytest.raises(BusyError, match=f"bertmt restore {run.id}"):
        import_run(database, folder)


def test_a_run_that_is_being_worked_is_refused(database: Database, elsewhere: RegistryBuilder) -> None:
    _, folder, events = elsewhere.started("busy")
    events.close()
    with hold_alive(folder), pytest.raises(BusyError, match="is being worked"):
        import_run(database, folder.path)
    assert all_runs(database) == []


def test_a_failure_in_the_middle_leaves_neither_rows_nor_folder(
    database: Database, elsewhere: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(elsewhere.database, elsewhere.finished("base")).path
    before = everything(database)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bertmt.services.ingest.import_run._out_of_the_queue", fail)
    with pytest.raises(KeyboardInterrupt):
        import_run(database, folder)
    assert everything(database) == before
    assert list((database.path.parent / "runs").iterdir()) == []


def test_a_folder_that_comes_there_while_this_one_is_copied_stays(
    database: Database, elsewhere: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(elsewhere.database, elsewhere.finished("base"))
    there = database.path.parent / "runs" / folder.path.name

    def copy(source: Any, target: Any) -> None:
        copy_run_folder(source, target)
        there.mkdir()
        (there / "mine").write_text("precious")

    monkeypatch.setattr("bertmt.services.ingest.import_run.copy_run_folder", copy)
    with pytest.raises(OSError):
        import_run(database, folder.path)
    assert (there / "mine").read_text() == "precious" and all_runs(database) == []


def test_a_folder_in_place_is_not_deleted_while_it_is_imported(
    elsewhere: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = elsewhere.finished("base")
    forget(elsewhere.database, run.key)
    folder, held = folder_of(elsewhere.database, run), []
    monkeypatch.setattr("bertmt.services.ingest.import_run.replay", lambda *_: held.append(is_alive(folder)))
    import_run(elsewhere.database, folder.path)
    assert held == [True], "gc leaves it alone"


def test_a_folder_that_is_there_and_of_no_run_is_never_overwritten(
    database: Database, elsewhere: RegistryBuilder
) -> None:
    run = elsewhere.finished("base")
    there = folder_of(database, run).path
    there.mkdir(parents=True)
    (there / "mine").write_text("precious")
    with pytest.raises(BusyError, match="belongs to no run"):
        import_run(database, folder_of(elsewhere.database, run).path)
    assert (there / "mine").read_text() == "precious"


def spoil_order(**changes: Any) -> Callable[..., None]:
    def spoil(folder: Any) -> None:
        order = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(order | changes))

    return spoil


def link(name: str, to: str = "/etc/passwd") -> Callable[..., None]:
    def spoil(folder: Any) -> None:
        path = folder / name
        if path.exists():
            path.unlink()
        path.symlink_to(to)

    return spoil


SPOILED: dict[str, Callable[[Any], object]] = {
    "an id that leads outside": spoil_order(run_id="../../x"),
    "an id of another kind": spoil_order(run_id=5),
    "a name with an escape sequence": spoil_order(name="\x1b[2Jevil"),
    "a name that is too long": spoil_order(name="x" * 81),
    "an attempt beyond all": spoil_order(attempt=10**30),
    "an attempt that is none": spoil_order(attempt="1"),
    "fingerprints that are none": spoil_order(fingerprints=["a"]),
    "encoder fingerprints that are none": spoil_order(encoder_fingerprints={"weights": "\x1b[2J"}),
    "encoder fingerprints of another kind": spoil_order(encoder_fingerprints=["a"]),
    "a fingerprint of no task": spoil_order(fingerprints={"speed-dev": "0" * 16}),
    "a fingerprint of no split": spoil_order(fingerprints={"sst-held": "0" * 16}),
    "half a character": spoil_order(data="\ud800"),
    "a key of another version": spoil_order(colour="blue"),
    "no run.json": lambda folder: (folder / "run.json").unlink(),
    "rubbish in run.json": lambda folder: (folder / "run.json").write_bytes(b"\xff{"),
    "no recipe": lambda folder: (folder / "recipe.json").unlink(),
    "a recipe that is none": lambda folder: (folder / "recipe.json").write_text('{"epochs": -1}'),
    "a recipe of other bytes": lambda folder: (folder / "recipe.json").write_bytes(b"\xff\xfe"),
    "a link as its events": link("events-1.jsonl"),
    "a link as its lock": link("alive"),
    "a link among its predictions": link("predictions/900-sst-dev.npz"),
    "a linked folder": link("model", to="/etc"),
    "a pipe": lambda folder: os.mkfifo(folder / "log-2.txt"),
    "a folder as its events": lambda folder: (folder / "events-2.jsonl").mkdir(),
}


def test_an_imported_run_has_the_encoder_of_its_folder(database: Database, elsewhere: RegistryBuilder) -> None:
    folder = folder_of(elsewhere.database, elsewhere.finished("base")).path
    spoil_order(encoder_fingerprints={"weights": "0" * 16})(folder)
    assert import_run(database, folder).submission.encoder_fingerprints == {"weights": "0" * 16}


@pytest.mark.parametrize("how", SPOILED)
def test_what_no_run_writes_is_refused_in_a_sentence(database: Database, elsewhere: RegistryBuilder, how: str) -> None:
    folder = folder_of(elsewhere.database, elsewhere.finished("base")).path
    SPOILED[how](folder)
    before = everything(database)
    imported, [refused] = import_runs(database, [folder])
    assert imported == [] and isinstance(refused.problem, BertmtError)
    assert everything(database) == before
    assert not (database.path.parent / "runs").exists() or list((database.path.parent / "runs").iterdir()) == []


def test_what_is_no_folder_is_not_found(database: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not a run folder"):
        import_run(database, tmp_path / "nowhere")


def test_of_many_folders_each_comes_in_or_says_why_not(database: Database, elsewhere: RegistryBuilder) -> None:
    folders = [folder_of(elsewhere.database, elsewhere.finished(name)).path for name in ("a", "b", "c")]
    (folders[1] / "recipe.json").unlink()
    imported, refused = import_runs(database, [*reversed(folders)])
    assert [run.name for run in imported] == ["a", "c"], "in the order in which they began"
    assert [each.folder for each in refused] == [folders[1]]


def delete_for_good(database: Database, run: Run) -> None:
    forget(database, run.key)
    delete_folder(database, run)


def test_a_foreign_checkpoint_folder_is_never_taken_for_the_runs_own(
    database: Database, elsewhere: RegistryBuilder, tmp_path: Path
) -> None:
    """It would be deleted with the run."""
    run = elsewhere.finished("base")
    folder = folder_of(elsewhere.database, run).path
    mine = tmp_path / "home" / run.id
    mine.mkdir(parents=True)
    (mine / "thesis.tex").write_text("precious")
    spoil_order(checkpoint_dir=str(tmp_path / "home"))(folder)
    assert import_run(database, folder).submission.checkpoint_dir == ""
    delete_for_good(database, all_runs(database)[0])
    in_place = RunFolder(database.path.parent / "runs" / run.id).path
    shutil.copytree(folder, in_place)
    assert import_run(database, in_place).submission.checkpoint_dir == ""
    delete_for_good(database, all_runs(database)[0])
    (mine / "thesis.tex").unlink()
    (mine / "000001").mkdir()
    shutil.copytree(folder, in_place)
    assert import_run(database, in_place).submission.checkpoint_dir == str(tmp_path / "home")


def test_an_imported_run_can_be_requeued(database: Database, elsewhere: RegistryBuilder) -> None:
    _, folder, events = elsewhere.started("stopped")
    events.write(Stopped(at=now(), step=2, signal="SIGTERM"))
    events.close()
    run = import_run(database, folder.path)
    database.execute("UPDATE runs SET state = 'queued' WHERE key = ?", (run.key,))
    assert present(claim_next(database, None, "cpu")).attempt == 2
    assert run_by_key(database, run.key).state is State.RUNNING


def test_attempts_after_a_finished_one_are_refused(database: Database, elsewhere: RegistryBuilder) -> None:
    """No `bertmt` makes one: what was measured would be replaced."""
    run = elsewhere.finished("base")
    folder = folder_of(elsewhere.database, run)
    shutil.copy(folder.events(1), folder.events(2))
    with pytest.raises(BusyError, match="is finished and cannot become running"):
        import_run(database, folder.path)
    assert all_runs(database) == [] and not folder_of(database, run).path.exists()
