"""Which encoder a run was submitted with: kept, asked of what has finished, said where runs are compared."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from encoder_folders import write_bert
from present import present

from bertmt.errors import EncoderError
from bertmt.launchers.training import order_of
from bertmt.recipe.encoders import KNOWN_ENCODERS, seen_in_training
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.services.analysis.arms import arms_of
from bertmt.services.analysis.encoder_differences import encoder_warnings
from bertmt.services.browse.details import details_of
from bertmt.services.lifecycle.control import edit
from bertmt.services.plan.duplicates import already_finished, without_finished
from bertmt.services.plan.submit import Plan, Request, plan, submit


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_bert(tmp_path / "bert")


def request(encoder: Path | str, **more: Any) -> Request:
    return Request(preset="baseline", values={"data": "toy", "encoder": str(encoder), "max_length": "16"}, **more)


def finished(database: Database, planned: Plan) -> Run:
    [run] = submit(database, planned)
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
    return run_by_key(database, run.key)


def test_what_has_finished_with_other_weights_in_the_same_place_is_queued(database: Database, encoder: Path) -> None:
    run = finished(database, plan(request(encoder)))
    assert present(already_finished(database, plan(request(encoder)).runs[0])).key == run.key
    about = (encoder / "model.safetensors").stat()
    write_bert(encoder, seed=1)
    os.utime(encoder / "model.safetensors", ns=(about.st_atime_ns, about.st_mtime_ns))
    both = plan(request(encoder))
    assert without_finished(database, both) == (both, [])
    write_bert(encoder, seed=0)
    left, said = without_finished(database, plan(request(encoder)))
    assert left.runs == () and "same recipe, encoder, data and code" in said[0]


@pytest.mark.parametrize("name", ["bert", "tiny"])
def test_an_encoder_that_is_not_known_is_never_the_same(database: Database, encoder: Path, name: str) -> None:
    name = str(encoder) if name == "bert" else name
    run = finished(database, plan(request(name)))
    assert present(already_finished(database, plan(request(name)).runs[0])).key == run.key
    database.execute("UPDATE runs SET encoder_fingerprints = '{}'")
    assert already_finished(database, plan(request(name)).runs[0]) is None


def test_the_child_is_told_which_encoder_it_was(database: Database, encoder: Path) -> None:
    [run] = submit(database, plan(request(encoder)))
    assert set(run.submission.encoder_fingerprints) == {"weights", "config.json", "vocabulary"}
    assert order_of(run, "cpu", 1).encoder_fingerprints == run.submission.encoder_fingerprints


def test_an_edited_run_has_the_encoder_of_then(database: Database, encoder: Path, tmp_path: Path) -> None:
    [run] = submit(database, plan(request(encoder)))
    other = write_bert(tmp_path / "other", seed=1)
    edited = edit(database, run, {"encoder": str(other)})
    assert edited.submission.encoder_fingerprints["weights"] != run.submission.encoder_fingerprints["weights"]
    assert edited.submission.encoder_fingerprints["vocabulary"] == run.submission.encoder_fingerprints["vocabulary"]
    with pytest.raises(EncoderError, match="was not found"):
        edit(database, run, {"encoder": str(tmp_path / "nowhere")})


def test_an_encoder_that_cannot_work_is_refused_before_anything_is_queued(database: Database, encoder: Path) -> None:
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 0}))
    with pytest.raises(EncoderError, match="num_attention_heads"):
        plan(request(encoder))


def test_details_have_the_encoder(database: Database, encoder: Path) -> None:
    from bertmt.services.browse.detail_formatting import format_encoder  # noqa: PLC0415

    [run] = submit(database, plan(request(encoder)))
    said = format_encoder(details_of(database, run))
    assert said[0] == str(encoder) and f"weights {run.submission.encoder_fingerprints['weights']}" in said[1]
    database.execute("UPDATE runs SET encoder_fingerprints = '{}'")
    assert "not known" in format_encoder(details_of(database, run_by_key(database, run.key)))[1]


@pytest.fixture
def scored(finish: Callable[..., Run], database: Database) -> Callable[..., Run]:
    """A finished run with scores whose recipe names an encoder, and what is known of that."""

    def add(
        name: Any,
        encoder: str = "minilm",
        scores: tuple[float, float, float] = (0.4, 0.7, 0.3),
        seed: int = 0,
        **marks: Any,
    ) -> Run:
        run = finish(name, encoder=encoder, scores=scores, seed=seed)
        text = json.dumps({{"shape": "config.json"}.get(name, name): mark for name, mark in marks.items()})
        database.execute("UPDATE runs SET encoder_fingerprints = ? WHERE key = ?", (text, run.key))
        return run_by_key(database, run.key)

    return add


MINILM = KNOWN_ENCODERS["minilm"].weights


def test_two_encoders_under_one_name_are_said(scored: Callable[..., Run]) -> None:
    one = scored("one", "small", weights="a", shape="c", vocabulary="v")
    other = scored("other", "small", weights="b", shape="c", vocabulary="w")
    same = scored("same", "small", weights="a", shape="c", vocabulary="v")
    [sentence] = encoder_warnings([[one], [other], [same]])
    assert f"{other.id} (other) had other weights and vocabulary under that name than {one.id} (one)" in sentence
    assert encoder_warnings([[one], [same]]) == []


def test_two_names_are_no_matter_of_fingerprints(scored: Callable[..., Run]) -> None:
    assert encoder_warnings([[scored("one", "small", weights="a")], [scored("other", "large", weights="b")]]) == []


def test_an_encoder_that_is_not_known_is_said(scored: Callable[..., Run]) -> None:
    old, new = scored("old", "small"), scored("new", "small", weights="a")
    [sentence] = encoder_warnings([[old], [new]])
    assert sentence.startswith("Whether small was one encoder is not known") and f"{old.id} (old)" in sentence
    assert new.id not in sentence


def test_many_runs_are_named_as_everywhere_three_and_how_many_more(scored: Callable[..., Run]) -> None:
    old = [scored("old", "small", seed=seed) for seed in range(6)]
    new = [scored("new", "small", seed=seed, weights="b" if seed else "a") for seed in range(6)]
    differing, unknown = encoder_warnings([old, new])
    assert f"{new[3].id} (new) and 2 more had other weights" in differing and new[4].id not in differing
    assert f"{old[2].id} (old) and 3 more, and kept" in unknown and old[3].id not in unknown


def test_what_minilm_has_seen_of_para_is_said_where_para_is_compared(scored: Callable[..., Run]) -> None:
    one, other = scored("one", weights=MINILM), scored("other", weights=MINILM)
    [sentence] = encoder_warnings([[one], [other]])
    assert "minilm was already trained on sentence pairs that include Quora's duplicate questions" in sentence
    without = scored("without", weights=MINILM, scores=(0.4, None, 0.3))
    assert encoder_warnings([[one], [without]]) == []


def test_minilm_is_known_by_its_weights_under_any_name() -> None:
    assert seen_in_training("/home/me/copy", {"weights": MINILM}) == KNOWN_ENCODERS["minilm"].trained_on
    assert seen_in_training("minilm", {}) == KNOWN_ENCODERS["minilm"].trained_on, "of an older run"
    assert seen_in_training("minilm", {"weights": "others"}) == {}
    assert seen_in_training("tiny", {"config.json": "x"}) == {}


def test_seeds_with_other_weights_are_no_arm_together(scored: Callable[..., Run]) -> None:
    from bertmt.services.browse.rows import Row  # noqa: PLC0415

    runs = [scored("base", "small", seed=seed, weights=weights) for seed, weights in enumerate(("a", "a", "b"))]
    rows = [Row(run, None) for run in runs]
    assert [len(arm) for arm in arms_of(rows)] == [2, 1]
