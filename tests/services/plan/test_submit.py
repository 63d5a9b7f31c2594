"""Planning and submitting: everything that can be refused is refused before the first run is stored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from present import present

from bertmt.errors import DataError, EncoderError, NotFoundError, RecipeError, UsageError
from bertmt.recipe.loading import from_json
from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs
from bertmt.services.plan.duplicates import already_finished, without_finished
from bertmt.services.plan.recipes import chosen_recipe
from bertmt.services.plan.submit import Request, plan, submit
from bertmt.services.plan.user_settings import read_table, read_user_settings, write_user_settings

TOY = {"data": "toy", "encoder": "tiny"}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_preset_becomes_a_queued_run_with_its_resolved_recipe(database: Database) -> None:
    [run] = submit(database, plan(Request(preset="baseline", values=TOY)))
    assert (run.name, run.submission.preset, run.state) == ("baseline", "baseline", "queued")
    assert from_json(run.submission.recipe_json).learning_rate == 3e-4
    assert set(run.submission.fingerprints) == {
        f"{task}-{split}" for task in ("sst", "para", "sts") for split in ("train", "dev")
    }


def test_every_combination_of_sweeps_and_seeds_is_a_run(database: Database) -> None:
    request = Request(preset="lora-r20", values=TOY, sweeps=("lora.rank=4,8", "batch_size=8,16"), seeds=(1, 2))
    runs = submit(database, plan(request))
    assert len(runs) == 8
    assert {(run.recipe["lora.rank"], run.recipe["batch_size"], run.seed) for run in runs} == {
        (rank, batch, seed) for rank in (4, 8) for batch in (8, 16) for seed in (1, 2)
    }


def test_a_swept_run_that_equals_a_preset_is_called_after_it() -> None:
    names = [run.name for run in plan(Request(preset="lora-r20", values=TOY, sweeps=("lora.rank=20,100,16",))).runs]
    assert names == ["lora-r20", "lora-r100", "lora-r20-rank16"]


def test_a_rank_that_no_preset_has_belongs_to_no_preset() -> None:
    [planned] = plan(Request(preset="final", values=TOY | {"lora.rank": "16"})).runs
    assert planned.preset is None


def test_what_has_nothing_to_do_and_how_long_an_epoch_is_are_said() -> None:
    said = " ".join(plan(Request(preset="final", values=TOY | {"lora.rank": "16"})).remarks)
    assert "surgery is ignored with ensembling" in said
    assert "600 extra pairs" in said
    assert "One epoch is 325 steps of 8 examples per task; passes over the data: sst 1.30, para 1.00, sts 1.30" in said


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (Request(preset="baseline", values={"encoder": "tiny"}), UsageError, "--data toy"),
        (Request(preset="basline", values=TOY), NotFoundError, "did you mean `baseline`"),
        (Request(values=TOY), UsageError, "--preset"),
        (Request(preset="baseline", values=TOY | {"epochs": "0", "sead": "1"}), RecipeError, "epochs.*\n.*seed"),
        (Request(preset="baseline", values={"data": "missing", "encoder": "tiny"}), DataError, "missing"),
        (Request(preset="baseline", values={"data": "toy", "encoder": "nowhere/bert"}), EncoderError, "tiny"),
        (Request(preset="baseline", values={"data": "toy", "encoder": "~nobody-of-that-name/x"}), EncoderError, "tiny"),
        (Request(preset="baseline", values={"data": "~nobody-of-that-name/x", "encoder": "tiny"}), DataError, "nobody"),
        (Request(preset="baseline", values=TOY, sweeps=("lora.rnk=1,2",)), RecipeError, "lora.rank"),
        (Request(preset="baseline", values=TOY | {"seed": "1"}, seeds=(2,)), UsageError, "twice"),
        (Request(preset="baseline", values=TOY, seeds=(-1,)), RecipeError, "seed"),
        (Request(preset="baseline", values=TOY, name="a\x1b[31mb"), UsageError, "printable"),
        (Request(preset="basline", sweeps=("x",), values=TOY), RecipeError, "--sweep.*\n.*`baseline`"),
        (Request(preset="baseline", values={"encoder": "x", "data": "y"}), RecipeError, "Encoder 'x'.*\n.*y cannot be"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(request_: Request, error: Any, words: str) -> None:
    with pytest.raises(error, match=f"(?s){words}"):
        plan(request_)


def test_user_settings_are_defaults_and_the_command_line_wins(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_user_settings(tmp_path, {"encoder": "tiny", "data": "toy", "epochs": 3})
    assert [plan(Request(preset=name)).runs[0].recipe.epochs for name in ("baseline", "multi-layer")] == [3, 9]
    assert plan(Request(preset="baseline", values={"epochs": "5"})).runs[0].recipe.epochs == 5


def test_settings_of_launchers_stay_as_they_are_where_defaults_are_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "bertmt.toml"
    path.write_text('epochs = 3\n[launcher.slurm]\npartition = "gpu"\nmax_jobs = 4\n')
    write_user_settings(tmp_path, {"encoder": "tiny"})
    assert read_user_settings(tmp_path) == {"epochs": 3, "encoder": "tiny"}
    assert read_table("launcher", tmp_path)[1] == {"slurm": {"partition": "gpu", "max_jobs": 4}}


def test_where_no_folder_for_checkpoints_is_named_the_working_folder_need_not_be_writable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bertmt.services.plan.submit.os.access", lambda *_: False)
    request = Request(preset="baseline", values={"data": "toy", "encoder": "tiny"})
    assert len(plan(request).runs) == 1
    with pytest.raises(UsageError, match="cannot be written"):
        plan(replace(request, checkpoint_dir="checkpoints"))


def test_a_relative_data_folder_is_relative_to_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_user_settings(tmp_path, {"data": "my data"})
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert read_user_settings()["data"] == str(tmp_path / "my data")


@pytest.mark.parametrize("text", ["lora.rank = 20", "sead = 1", "not toml", "tasks = ['sst']"])
def test_a_settings_file_that_cannot_be_used_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "bertmt.toml").write_text(text)
    with pytest.raises(UsageError, match=r"bertmt\.toml"):
        read_user_settings()


def test_a_finished_run_with_the_same_recipe_data_and_seed_is_found(database: Database) -> None:
    planned = plan(Request(preset="baseline", values=TOY))
    [run] = submit(database, planned)
    assert already_finished(database, planned.runs[0]) is None
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
    assert present(already_finished(database, planned.runs[0])).key == run.key
    both = plan(Request(preset="baseline", values=TOY, seeds=(0, 7)))
    assert already_finished(database, both.runs[1]) is None
    left, said = without_finished(database, both)
    assert said[0].startswith(f"{run.id} (baseline, seed 0) has already finished")
    assert ([each.recipe.seed for each in left.runs], len(said)) == ([7], 1)
    database.execute("UPDATE snapshots SET code_digest = 'older'")
    assert without_finished(database, both) == (both, []), "other code may give other numbers"


def test_many_finished_runs_are_one_sentence(database: Database) -> None:
    planned = plan(Request(preset="baseline", values=TOY, seeds=tuple(range(40))))
    ids = [run.id for run in submit(database, planned)]
    database.execute("UPDATE runs SET state = 'finished'")
    left, said = without_finished(database, planned)
    assert (left.runs, len(said)) == ((), 1)
    assert f"{ids[2]} (baseline, seed 2) and 37 more have already finished" in said[0]


def test_settings_of_care_make_no_other_recipe(database: Database) -> None:
    [run] = submit(database, plan(Request(preset="baseline", values=TOY)))
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
    careful = {"checkpoint_steps": "5", "checkpoint_minutes": "1", "requeue_lost": "false"}
    [planned] = plan(Request(preset="baseline", values=TOY | careful)).runs
    assert present(already_finished(database, planned)).key == run.key


def test_a_copy_of_a_run_keeps_its_recipe_but_for_what_is_set(database: Database) -> None:
    [run] = submit(database, plan(Request(preset="cosine", values=TOY)))
    [copy] = submit(database, plan(Request(from_run=run, values={"mnr": "true"}, name="copy")))
    assert (copy.name, copy.submission.preset) == ("copy", "neg-cosine")
    assert len(all_runs(database)) == 2


def test_a_copy_with_another_rank_or_encoder_takes_along_what_followed_it(database: Database) -> None:
    [run] = submit(database, plan(Request(preset="lora-r20", values=TOY)))
    [other_rank] = plan(Request(from_run=run, values={"lora.rank": "8"})).runs
    assert (other_rank.recipe.lora.rank, other_rank.recipe.lora.alpha) == (8, 8.0)
    chosen = chosen_recipe(None, None, run, {"encoder": "bert-base-uncased"})
    assert (chosen.learning_rate, chosen.head_learning_rate) == (1e-5, 1e-5)
