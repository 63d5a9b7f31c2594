"""A child trains the encoder that was submitted, or none."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempt
from encoder_folders import VOCABULARY, write_bert

from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.models import multitask
from bertmt.run_folder.layout import RunFolder
from bertmt.training import composition
from bertmt.training.steps.batches import BatchStream

ONE_EPOCH = {"epochs": 1, "tasks": "sst", "max_length": 16}


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "bert")


@pytest.fixture
def submitted(prepare: Callable[..., RunFolder], encoder: Path) -> RunFolder:
    """A run folder that knows the encoder as it lies there now."""
    marks = encoder_fingerprints(find_encoder(str(encoder)))
    return prepare({**ONE_EPOCH, "encoder": str(encoder)}, encoder_fingerprints=marks)


def test_the_encoder_of_submit_is_trained(submitted: RunFolder, attempt: Callable[..., Attempt]) -> None:
    assert attempt(submitted).last["event"] == "finished"


def keep_times(file: Path, about: os.stat_result) -> None:
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def overwrite_weights(encoder: Path) -> None:
    about = (encoder / "model.safetensors").stat()
    write_bert(encoder, seed=1)
    keep_times(encoder / "model.safetensors", about)


def overwrite_vocabulary(encoder: Path) -> None:
    (encoder / "vocab.txt").write_text("\n".join([*VOCABULARY[:5], *reversed(VOCABULARY[5:])]))


def overwrite_configuration(encoder: Path) -> None:
    write_bert(encoder, hidden_dropout_prob=0.3)


@pytest.mark.parametrize(
    ("overwrite", "said"),
    [
        (overwrite_weights, "its weights differ from"),
        (overwrite_vocabulary, "its vocabulary differs from"),
        (overwrite_configuration, "its config.json differs from"),
    ],
)
def test_another_encoder_in_its_place_is_refused_in_a_sentence(
    submitted: RunFolder, attempt: Callable[..., Attempt], encoder: Path, overwrite: Callable[..., None], said: str
) -> None:
    overwrite(encoder)
    run = attempt(submitted)
    assert run.exit_code == 1 and [event["event"] for event in run.events] == ["failed"]
    error = run.last["error"]
    assert said in error and str(encoder) in error and "bertmt requeue test" in error


def test_an_encoder_that_is_exchanged_while_it_is_loaded_is_refused(
    submitted: RunFolder, attempt: Callable[..., Attempt], encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Exchanging(multitask.MultitaskModel):
        def __init__(self, *arguments: Any, **named: Any):
            overwrite_weights(encoder)
            super().__init__(*arguments, **named)

    monkeypatch.setattr(composition, "MultitaskModel", Exchanging)
    run = attempt(submitted)
    assert run.exit_code == 1 and "its weights differ from" in run.last["error"]


def test_a_run_of_an_older_bertmt_trains_what_lies_there(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], encoder: Path
) -> None:
    folder = prepare({**ONE_EPOCH, "encoder": str(encoder)})
    overwrite_weights(encoder)
    assert attempt(folder).exit_code == 0


@pytest.mark.parametrize(
    "order", [{"encoder_fingerprints": {"config.json": "0" * 16}}, {"checkpoint_step": 3}], ids=str
)
def test_a_run_of_the_tiny_of_old_is_not_gone_on_with(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], order: dict[str, Any]
) -> None:
    """Whose weights were random: of its submission there was a fingerprint of its sizes alone, or none."""
    run = attempt(prepare({**ONE_EPOCH, "encoder": "tiny"}, **order))
    assert run.exit_code == 1
    assert "it comes with bertmt: go back to the version that queued the run, or queue a new run." in run.last["error"]


def test_weights_that_are_overwritten_while_they_train_change_nothing(
    submitted: RunFolder, attempt: Callable[..., Attempt], encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = attempt(submitted)
    again = type(submitted)(submitted.path.with_name("again"))
    again.create(submitted.read_order(), submitted.recipe.read_text())
    train = composition._streams

    def overwritten(*arguments: Any) -> dict[str, BatchStream]:
        with (encoder / "model.safetensors").open("r+b") as file:
            file.write(b"\0" * os.fstat(file.fileno()).st_size)
        return train(*arguments)

    monkeypatch.setattr(composition, "_streams", overwritten)
    assert attempt(again).weights == straight.weights
