"""Each family of encoders: read as transformers reads it, trained, resumed to the bit, kept, and asked again."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attempts import Attempt
from encoder_families import POSITIONS, SENTENCES, write_encoder
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as library_logging

from bertmt.encoders.families import FAMILIES
from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.errors import EncoderError
from bertmt.models.encoder import load_encoder
from bertmt.models.lora import add_adapters
from bertmt.models.multitask import MultitaskModel
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.tokenizing import load_tokenizer
from bertmt.prediction.answers import answer_stream
from bertmt.recipe.groups import Lora
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.services.plan.encoder_check import check_encoder
from bertmt.services.plan.memory_needs import adapter_parameters, encoder_parameters
from bertmt.tasks.builtin import BUILTIN
from bertmt.training.stopping import StopFlag

SHORT: dict[str, Any] = {"epochs": 1, "epoch_steps": 3, "evaluate_examples": 6, "max_length": 24}
ADAPTED = SHORT | {"lora.rank": 2, "lora.dropout": 0.1, "ensembling": True, "checkpoint_steps": 2}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    family: str = request.param
    return write_encoder(family, tmp_path_factory.mktemp("families") / family)


@pytest.fixture
def model_of(folder: Path) -> Callable[..., MultitaskModel]:
    """`model_of({"lora.rank": 2})`: a model around the encoder, in evaluation mode."""

    def build(settings: dict[str, Any]) -> MultitaskModel:
        recipe = resolved(recipe_from({"encoder": str(folder), "data": "toy", **settings}))
        return MultitaskModel(recipe, lambda: load_encoder(str(folder))).eval()

    return build


def test_the_test_has_an_encoder_of_every_family(folder: Path) -> None:
    found = find_encoder(str(folder))
    assert found.model_type == json.loads((folder / "config.json").read_text())["model_type"] == folder.name
    assert (found.hidden_size, found.layers, found.intermediate_size, found.positions) == (32, 2, 48, POSITIONS)


def test_ids_and_embeddings_are_those_of_plain_transformers(
    folder: Path, model_of: Callable[..., MultitaskModel]
) -> None:
    tokenizer = load_tokenizer(str(folder), POSITIONS)
    ids = tokenizer.encode(SENTENCES)
    # Alone and without any padding, in transformers' own attention: an independent way to the same numbers.
    theirs_tokenizer = AutoTokenizer.from_pretrained(folder)
    assert ids == theirs_tokenizer(list(SENTENCES))["input_ids"]
    reference = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        theirs = torch.cat([reference(torch.tensor([each])).last_hidden_state.mean(dim=1) for each in ids])
        batch = theirs_tokenizer(list(SENTENCES), padding=True, return_tensors="pt")
        states, mask = reference(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1)
        padded = (states * mask).sum(dim=1) / mask.sum(dim=1)
        ours = model_of({}).embed("sst", TokenBatch.of(ids))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours, padded, atol=1e-5, rtol=0)
    assert torch.pdist(ours).min() > 0.1, "an encoder that tells no sentences apart would prove nothing"


def test_the_longest_sentence_that_is_allowed_is_read_and_a_longer_one_refused(
    folder: Path, model_of: Callable[..., MultitaskModel]
) -> None:
    tokenizer = load_tokenizer(str(folder), POSITIONS)
    batch = TokenBatch.of(tokenizer.encode(["the cat " * POSITIONS]))
    assert batch.lengths == (POSITIONS,)
    assert model_of({}).embed("sst", batch).isfinite().all()
    with pytest.raises(EncoderError, match=f"at most {POSITIONS} tokens"):
        load_tokenizer(str(folder), POSITIONS + 1)


def test_what_someone_wrote_is_text_and_no_marker(folder: Path) -> None:
    tokenizer = load_tokenizer(str(folder), POSITIONS)
    (start, *inner, end) = tokenizer.encode(["<s> [CLS] </s> [SEP] <pad> [PAD]"])[0]
    assert start != end and not {start, end} & set(inner)


def test_weights_and_adapters_are_counted_as_they_are_made(folder: Path) -> None:
    files = find_encoder(str(folder))
    assert encoder_parameters(files) == load_encoder(str(folder)).num_parameters()
    for targets in files.family.lora_targets:
        settings = Lora(rank=2, targets=targets)
        adapted = add_adapters(load_encoder(str(folder)), settings, seed=0)
        trained = [each.numel() for each in adapted.parameters() if each.requires_grad]
        assert sum(trained) == adapter_parameters(files, settings) > 0


def test_layers_are_computed_anew_and_in_bf16_where_asked_for(
    folder: Path, model_of: Callable[..., MultitaskModel]
) -> None:
    tokenizer = load_tokenizer(str(folder), POSITIONS)
    batch = TokenBatch.of(tokenizer.encode(SENTENCES))

    def gradients(model: MultitaskModel) -> tuple[int, list[torch.Tensor]]:
        calls: list[int] = []
        layers = next(each for each in model.modules() if isinstance(each, torch.nn.ModuleList))
        part = next(each for each in layers[0].modules() if isinstance(each, torch.nn.Linear))
        part.register_forward_hook(lambda *_: calls.append(1))
        torch.manual_seed(0)
        model.train().embed("sst", batch).square().sum().backward()
        return len(calls), [each.grad for each in model.parameters() if each.grad is not None]

    plain, anew = model_of({"lora.rank": 2}), model_of({"lora.rank": 2})
    plain.encoder_dtype = anew.encoder_dtype = torch.bfloat16
    anew.recompute_activations()
    (once, expected), (twice, found) = gradients(plain), gradients(anew)
    assert (once, twice) == (1, 2)
    assert all(
        torch.equal(one, other)
        for one, other in zip(expected, found, strict=True)
        if one is not None and other is not None
    )
    assert all(each.isfinite().all() for each in expected) and any(each.any() for each in expected)


class StopsAtACheckpoint(StopFlag):
    """Asks for an end as soon as there is a checkpoint to go on from."""

    def __init__(self, folder: RunFolder):
        super().__init__()
        self.checkpoints = folder.checkpoints().folder

    def check(self) -> None:
        if any(self.checkpoints.glob("0*")):
            self.signal_number = 15
        super().check()


def test_layers_that_a_family_does_not_have_are_refused_at_submit_and_by_the_run(folder: Path) -> None:
    settings = {"encoder": str(folder), "data": "toy", "max_length": 24, "lora.rank": 2, "lora.targets": "query-value"}
    adapted = resolved(recipe_from(settings))
    if folder.name != "modernbert":
        check_encoder(adapted)
        return
    said = "query, key and value of a modernbert are one layer: use --set lora.targets=all-linear or attention"
    with pytest.raises(EncoderError, match=said):
        check_encoder(adapted)
    with pytest.raises(EncoderError, match=said):
        add_adapters(load_encoder(str(folder)), adapted.lora, seed=0)


def assert_asked_again_it_says_the_same(folder: RunFolder, tasks: Iterable[str]) -> None:
    """A model that is loaded from its folder gives the predictions that the run left of its last evaluation."""
    library_logging.set_verbosity_warning()  # as it is in a process that begins
    for task in tasks:
        examples = read_examples(folder.examples(task, "dev"))
        questions = [
            json.dumps({"task": task, "id": each.id, "first": each.first, "second": each.second}).encode()
            for each in examples
        ]
        with tempfile.TemporaryFile() as answers:
            answer_stream(folder, questions, answers)
            answers.seek(0)
            said = np.array([json.loads(line)["probabilities"] for line in answers], dtype=np.float32)
        assert len(said) == 6
        assert library_logging.get_verbosity() == library_logging.ERROR, "it speaks where answers are expected"
        assert np.array_equal(said, read_predictions(folder.predictions(1, task, "dev")).probabilities)


def test_adapters_of_an_ensemble_train_resume_to_the_bit_and_predict_the_same_after_loading(
    folder: Path,
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
) -> None:
    settings = {"encoder": str(folder), **ADAPTED}
    marks = encoder_fingerprints(find_encoder(str(folder)))
    whole = attempt(prepare(settings, encoder_fingerprints=marks))
    assert whole.exit_code == 0, whole.last
    torn = prepare(settings, encoder_fingerprints=marks)
    stopped = attempt(torn, StopsAtACheckpoint(torn))
    assert (stopped.last["event"], stopped.last["step"]) == ("stopped", 2)
    torn.create(replace(torn.read_order(), attempt=2), torn.recipe.read_text())
    resumed = attempt(torn)
    assert resumed.of_kind("resumed") and resumed.exit_code == 0
    assert resumed.weights == whole.weights and resumed.predictions == whole.predictions
    assert_asked_again_it_says_the_same(torn, BUILTIN)


def test_a_fully_trained_model_loads_without_its_encoders_folder(
    folder: Path,
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    tmp_path: Path,
) -> None:
    copy = shutil.copytree(folder, tmp_path / "encoder")
    run = attempt(prepare({"encoder": str(copy), "tasks": "sst", **SHORT}))
    assert run.exit_code == 0, run.last
    shutil.rmtree(copy)
    assert_asked_again_it_says_the_same(run.folder, ["sst"])


def test_another_file_of_the_vocabulary_is_another_encoder_and_refused_by_the_run(
    folder: Path, prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "encoder")
    marks = encoder_fingerprints(find_encoder(str(copy)))
    for names in find_encoder(str(copy)).family.vocabularies:
        for file in (copy / name for name in names if (copy / name).exists()):
            before = file.read_bytes()
            # A line break more is nothing in JSON, and in a list of word pieces it is one more.
            file.write_bytes(before.replace(b"##q\n", b"##Q\n") if file.name == "vocab.txt" else before + b"\n")
            changed = encoder_fingerprints(find_encoder(str(copy)))
            assert changed["vocabulary"] != marks["vocabulary"] and changed["weights"] == marks["weights"], file
            file.write_bytes(before)
    config = copy / "config.json"
    config.write_text(config.read_text() + " ")
    run = attempt(prepare({"encoder": str(copy), **SHORT}, encoder_fingerprints=marks))
    assert run.exit_code == 1 and "its config.json differs" in run.last["error"]
