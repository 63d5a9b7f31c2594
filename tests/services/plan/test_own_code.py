"""Losses and heads of a user's own from submit to the run folder, and whose code is never run."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import BertmtError, DataError, UsageError
from bertmt.launchers.local import start_child
from bertmt.launchers.own_code import TRIAL_COMMAND
from bertmt.launchers.prediction import PREDICTION_COMMAND
from bertmt.launchers.training import TRAINING_COMMAND
from bertmt.recipe.groups import Head
from bertmt.recipe.loading import from_json, to_json
from bertmt.recipe.own_code import digest_of
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.sources import sources_with
from bertmt.run_folder.events import now
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.services.analysis.predict import predict_texts
from bertmt.services.ingest.import_run import Found, import_run, new_run
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle import bulk, control
from bertmt.services.lifecycle.control import cancel, edit, requeue
from bertmt.services.lifecycle.verify_resume import with_sources
from bertmt.services.plan import data_check, encoder_check
from bertmt.services.plan.own_code import digests_in, sources_of
from bertmt.services.plan.submit import Request, plan, submit

SMALL = {"data": "toy", "encoder": "tiny"}
LOSS = "def small(embeddings):\n    first = embeddings if not isinstance(embeddings, tuple) else embeddings[0]\n"
LOSS += "    return first.square().mean()\n"


@pytest.fixture(autouse=True)
def in_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("mine.py").write_text(LOSS)


@pytest.fixture
def registry(tmp_path: Path) -> Database:
    return open_registry(tmp_path / "here" / "runs.db", create=True)


def queued(registry: Database, **values: str) -> Run:
    [run] = submit(registry, plan(Request(preset="baseline", values=SMALL | values)))
    return run


def test_the_source_is_kept_with_the_registry_and_given_to_the_child(registry: Database, tmp_path: Path) -> None:
    run = queued(registry, losses="mine.py:small sst 0.5")
    digest = digest_of(LOSS.encode())
    assert run.recipe["losses"] == [f"mine.py:small sst 0.5 #{digest}"] and run.submission.preset is None
    assert digests_in(run.submission.recipe_json) == (digest,) and sources_of(registry, run) == {digest: LOSS}
    Path("mine.py").write_text("raise SystemExit")  # what the file is later is nobody's matter
    folder = tmp_path / "here" / "runs" / run.id
    folder.parent.mkdir()
    start_child(run, RunFolder(folder), "cpu", 1, sources_of(registry, run), ["true"])
    assert (folder / "code" / f"{digest}.py").read_text() == LOSS


def test_other_source_is_another_recipe_and_the_same_is_the_same(registry: Database) -> None:
    first, same = (queued(registry, losses="mine.py:small") for _ in range(2))
    Path("mine.py").write_text(LOSS + "\n# thought again\n")
    other = queued(registry, losses="mine.py:small")
    assert first.submission.digest == same.submission.digest != other.submission.digest


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"losses": "nowhere.py:small"}, "nowhere.py, which the recipe names, cannot be read: No such file"),
        ({"losses": "mine.py:smaller"}, "mine.py defines no function or class smaller"),
        ({"head.sst.module": "mine.py:small"}, "small of mine.py failed: TypeError"),
    ],
)
def test_what_does_not_work_is_refused_before_anything_is_queued(
    registry: Database, values: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan(Request(preset="baseline", values=SMALL | values))
    assert said in str(caught.value)


def test_a_file_beside_it_is_no_part_of_what_was_submitted(registry: Database) -> None:
    """Else the file would be there at submit, and where a worker trains it another or none."""
    Path("helper.py").write_text("")
    Path("mine.py").write_text("import helper\n" + LOSS)
    with pytest.raises(UsageError, match=r"mine\.py cannot be loaded: .*helper"):
        queued(registry, losses="mine.py:small")


def test_no_child_finds_modules_where_it_was_started() -> None:
    for command in (TRIAL_COMMAND, TRAINING_COMMAND, PREDICTION_COMMAND):
        assert command[:3] == (sys.executable, "-P", "-m")


def test_predicting_allows_what_was_submitted_and_no_more(registry: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digests are the registry's, whatever the model's folder says."""
    asked = []
    monkeypatch.setattr("bertmt.services.analysis.predict.ask_prediction", lambda *given: asked.append(given[1]))
    for values, allowed in (({}, ()), ({"losses": "mine.py:small"}, (digest_of(LOSS.encode()),))):
        run = queued(registry, **values)
        registry.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
        folder_of(registry, run).model.mkdir(parents=True)
        with suppress(TypeError):  # there is no child that answers
            predict_texts(registry, run_by_key(registry, run.key), ["a film"])
        assert asked.pop() == allowed


def test_an_edited_run_has_its_source_too(registry: Database) -> None:
    run = edit(registry, queued(registry), {"losses": "mine.py:small"})
    assert list(sources_of(registry, run).values()) == [LOSS]


def test_a_run_of_ones_own_is_taken_up_again_without_its_file(registry: Database) -> None:
    run = queued(registry, losses="mine.py:small")
    Path("mine.py").unlink()
    [again] = submit(registry, plan(Request(from_run=run)))
    assert sources_of(registry, again) == sources_of(registry, run)
    assert requeue(registry, cancel(registry, run)).id == run.id


def test_code_of_an_imported_run_is_not_run(registry: Database, tmp_path: Path) -> None:
    run = queued(registry, losses="mine.py:small")
    folder = RunFolder(tmp_path / "here" / "runs" / run.id)
    folder.path.parent.mkdir()
    start_child(run, folder, "cpu", 1, sources_of(registry, run), ["true"])
    elsewhere = open_registry(tmp_path / "runs.db", create=True)
    theirs = import_run(elsewhere, folder.path)
    assert sources_with(elsewhere, digests_in(theirs.submission.recipe_json)) == {}
    said = f"not submitted here, and code of others is not run; .* --from {theirs.id} --set losses=FILE:NAME`"
    with pytest.raises(DataError, match=said):
        sources_of(elsewhere, theirs)
    for asks in (
        lambda: requeue(elsewhere, theirs),
        lambda: predict_texts(elsewhere, theirs, ["a film"]),
        lambda: submit(elsewhere, plan(Request(from_run=theirs))),
    ):
        with pytest.raises(BertmtError, match="not submitted here"):
            asks()


EVIL = "open('was_run', 'w')\n" + LOSS


@pytest.mark.parametrize(
    "names", [{"losses": ("mine.py:small",)}, {"head": {"sst": Head(module="mine.py:small")}, "tasks": ("para",)}]
)
def test_a_folder_whose_code_has_no_digest_is_not_imported(
    registry: Database, tmp_path: Path, names: dict[str, Any]
) -> None:
    folder = RunFolder(tmp_path / "abcdef")
    order = RunOrder(run_id="abcdef", name="nice", attempt=0, data="toy", extra_data_file="")
    recipe = to_json(Recipe(encoder="tiny", data="toy", **names))
    folder.create(order, recipe)
    with pytest.raises(DataError, match=r"recipe\.json is not what a run writes: .* mine\.py without the digest"):
        import_run(registry, folder.path)
    with pytest.raises(DataError, match="without the digest"):
        new_run(registry, Found(folder, order, from_json(recipe), now(), {}))


def test_stored_code_without_a_digest_is_not_run_unless_a_person_names_it_now(registry: Database) -> None:
    """As a registry may have it that imported such a run before that was refused."""
    key = queued(registry).key
    recipe = to_json(resolved(Recipe(encoder="tiny", data="toy", losses=("mine.py:small",))))
    registry.execute("UPDATE runs SET recipe = ? WHERE key = ?", (recipe, key))
    run = run_by_key(registry, key)
    Path("mine.py").write_text(EVIL)
    values = {"epochs": 3}
    for asks in (lambda: plan(Request(from_run=run, values=values)), lambda: edit(registry, run, values)):
        with pytest.raises(UsageError, match=r"mine\.py, of which no source was submitted, and it is not run"):
            asks()
    assert not Path("was_run").exists()
    assert edit(registry, run, {"losses": "mine.py:small"}) and Path("was_run").exists()


def test_a_trial_that_failed_is_made_again(registry: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["took longer than 120 s", "", "once is enough"]
    monkeypatch.setattr("bertmt.services.plan.own_code.try_own_code", lambda asked: said.pop(0))
    Path("mine.py").write_text(LOSS + "# tried twice\n")
    with pytest.raises(UsageError, match="took longer"):
        queued(registry, losses="mine.py:small")
    assert [queued(registry, losses="mine.py:small").name for _ in range(2)] == ["baseline"] * 2
    assert said == ["once is enough"]


def test_another_registry_is_given_the_sources_of_this_one(registry: Database, tmp_path: Path) -> None:
    """As `verify-resume --from RUN` needs them."""
    run = queued(registry, losses="mine.py:small")
    Path("mine.py").unlink()
    planned = with_sources(registry, plan(Request(from_run=run)))
    elsewhere = open_registry(tmp_path / "runs.db", create=True)
    [again] = submit(elsewhere, planned)
    assert sources_of(elsewhere, again) == sources_of(registry, run)
    with pytest.raises(UsageError, match="not submitted here"):
        with_sources(open_registry(tmp_path / "third.db", create=True), plan(Request(from_run=run)))


def test_an_edit_runs_code_and_reads_data_before_it_locks_the_registry(
    registry: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [queued(registry), queued(registry, epochs="3")]
    locked = []
    for module, name in ((data_check, "check_data"), (encoder_check, "check_encoder"), (control, "settle_own_code")):
        real = getattr(module, name)

        def look(*given: Any, real: Any = real, **named: Any) -> Any:
            locked.append(registry.connection.in_transaction)
            return real(*given, **named)

        monkeypatch.setattr(module, name, look)
    edited = bulk.edit(registry, runs, {"losses": "mine.py:small"})
    assert locked == [False] * 6 and [bool(run.recipe["losses"]) for run in edited] == [True, True]
