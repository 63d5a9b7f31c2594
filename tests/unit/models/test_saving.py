"""Trained models survive on disk, whole or not at all."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from transformers import BertConfig

from bertmt.encoders.vocabulary import SPECIAL_TOKENS, word_pieces
from bertmt.errors import BertmtError, EncoderError, NotFoundError
from bertmt.models import saving
from bertmt.models.encoder import load_encoder, random_encoder
from bertmt.models.multitask import MultitaskModel
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.saving import load_model, save_model
from bertmt.models.tokenizing import Tokenizer, load_tokenizer
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved

SETTINGS = {
    "baseline": {},
    "ensembled": {"ensembling": True, "head.sst.layers": 3},
    "lora": {"lora.rank": 4, "super_concat": True},
    "lora-ensembled": {"lora.rank": 4, "ensembling": True, "lora.rslora": True},
    "one task": {"tasks": "sts"},
}


def recipe_of(settings: dict[str, Any]) -> Recipe:
    return resolved(recipe_from({"encoder": "tiny", "data": "toy", "max_length": 32, **settings}))


def move_trained_weights(model: MultitaskModel) -> None:
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)


@pytest.fixture
def saved(build_model: Callable[..., MultitaskModel], tmp_path: Path) -> Callable[..., tuple[Path, MultitaskModel]]:
    """Save a model with changed weights: `saved(settings)` → (folder, model)."""

    def save(settings: dict[str, Any]) -> tuple[Path, MultitaskModel]:
        model = build_model({"max_length": 32, **settings})
        move_trained_weights(model)
        save_model(model, recipe_of(settings), load_tokenizer("tiny", 32), tmp_path / "model")
        return tmp_path / "model", model

    return save


def outputs(model: MultitaskModel, tokens: TokenBatch) -> list[torch.Tensor]:
    with torch.no_grad():
        return [model(task, tokens) for task in model.tasks]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_loaded_model_predicts_the_same_bits(
    saved: Callable[..., tuple[Path, MultitaskModel]],
    tokens: TokenBatch,
    sentences: tuple[str, ...],
    settings: dict[str, Any],
) -> None:
    folder, model = saved(settings)
    before = torch.get_rng_state()
    loaded, tokenizer = load_model(folder)
    assert all(map(torch.equal, outputs(model, tokens), outputs(loaded, tokens)))
    assert torch.equal(TokenBatch.of(tokenizer.encode(sentences)).input_ids, tokens.input_ids)
    assert not loaded.training and torch.equal(before, torch.get_rng_state())


def test_with_lora_adapters_and_heads_alone_are_stored(saved: Callable[..., tuple[Path, MultitaskModel]]) -> None:
    folder, _ = saved(SETTINGS["lora-ensembled"])
    names = safetensors.torch.load_file(folder / "model.safetensors")
    assert names and all("lora_" in name or name.startswith("heads.") for name in names)


def test_a_saved_model_is_private(saved: Callable[..., tuple[Path, MultitaskModel]]) -> None:
    folder, _ = saved({})
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))} == {0}


def test_the_folder_tells_recipe_and_encoder(saved: Callable[..., tuple[Path, MultitaskModel]]) -> None:
    folder, _ = saved({"lora.rank": 4})
    about = json.loads((folder / "model.json").read_text())
    assert recipe_from(about["recipe"]) == recipe_of({"lora.rank": 4})
    assert about["encoder"]["name"] == "tiny" and len(about["encoder"]["digest"]) == 64


def test_saving_again_replaces_the_model_and_leaves_nothing_else(
    saved: Callable[..., tuple[Path, MultitaskModel]], tokens: TokenBatch
) -> None:
    saved({})
    folder, model = saved({"seed": 5})
    assert all(map(torch.equal, outputs(model, tokens), outputs(load_model(folder)[0], tokens)))
    assert [each.name for each in folder.parent.iterdir() if "model" in each.name] == ["model"]


def test_what_a_killed_process_left_beside_is_cleaned_up(
    saved: Callable[..., tuple[Path, MultitaskModel]], tmp_path: Path
) -> None:
    (tmp_path / ".model.12345").mkdir()
    saved({})
    assert not (tmp_path / ".model.12345").exists()


def test_a_save_that_fails_keeps_the_older_model(
    saved: Callable[..., tuple[Path, MultitaskModel]], tokens: TokenBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, model = saved({})
    with monkeypatch.context() as patch:

        def no_space(path: Path, content: str) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(saving.atomic_files, "write_text", no_space)  # type: ignore[attr-defined]  # its own name for it
        with pytest.raises(OSError, match="No space"):
            saved({"seed": 5})
    assert all(map(torch.equal, outputs(model, tokens), outputs(load_model(folder)[0], tokens)))
    assert [each.name for each in folder.parent.iterdir() if "model" in each.name] == ["model"]


def test_a_model_trained_on_a_local_encoder_loads_without_it(
    bert_folder: Path, sentences: tuple[str, ...], tmp_path: Path
) -> None:
    recipe = recipe_of({"encoder": str(bert_folder)})
    model = MultitaskModel(recipe, lambda: load_encoder(str(bert_folder))).eval()
    tokenizer = load_tokenizer(str(bert_folder), 32)
    tokens = TokenBatch.of(tokenizer.encode(sentences))
    save_model(model, recipe, tokenizer, tmp_path / "model")
    shutil.rmtree(bert_folder)
    assert all(map(torch.equal, outputs(model, tokens), outputs(load_model(tmp_path / "model")[0], tokens)))


@pytest.fixture
def adapted(bert_folder: Path, tmp_path: Path) -> Path:
    recipe = recipe_of({"encoder": str(bert_folder), "lora.rank": 2})
    model = MultitaskModel(recipe, lambda: load_encoder(str(bert_folder)))
    save_model(model, recipe, load_tokenizer(str(bert_folder), 32), tmp_path / "model")
    return tmp_path / "model"


def test_adapters_of_a_local_encoder_load_onto_it(adapted: Path) -> None:
    assert load_model(adapted)[0].config.hidden_size == 32


def test_adapters_without_their_encoder_are_refused(adapted: Path, bert_folder: Path) -> None:
    shutil.rmtree(bert_folder)
    with pytest.raises(EncoderError, match="was not found"):
        load_model(adapted)


def test_adapters_are_refused_on_an_encoder_with_other_weights(adapted: Path, bert_folder: Path) -> None:
    file = bert_folder / "model.safetensors"
    changed = {name: each + 1e-3 for name, each in safetensors.torch.load_file(file).items()}
    safetensors.torch.save_file(changed, file, metadata={"format": "pt"})
    with pytest.raises(EncoderError, match="other weights than the one found here"):
        load_model(adapted)


def test_models_of_the_tiny_of_old_load_whole_and_with_adapters_are_refused(tmp_path: Path) -> None:
    """Its weights were random, from the seed; its vocabulary was the run's own."""
    config = BertConfig(vocab_size=70, hidden_size=128, num_hidden_layers=2, num_attention_heads=2)
    pieces = [*SPECIAL_TOKENS, *(f"word{number}" for number in range(65))]
    tokenizer = Tokenizer(word_pieces(pieces), 32)
    tokens = TokenBatch.of(tokenizer.encode(["word1 word2", "word3"]))
    whole, adapted = recipe_of({}), recipe_of({"lora.rank": 2})
    models = [MultitaskModel(each, lambda: random_encoder(config, 0)).eval() for each in (whole, adapted)]
    save_model(models[0], whole, tokenizer, tmp_path / "whole")
    assert all(map(torch.equal, outputs(models[0], tokens), outputs(load_model(tmp_path / "whole")[0], tokens)))
    save_model(models[1], adapted, tokenizer, tmp_path / "adapted")
    with pytest.raises(EncoderError, match="other weights than the one found here"):
        load_model(tmp_path / "adapted")


def test_a_folder_without_a_model_says_why_there_may_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="keep_model=false"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("name", ["model.json", "config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "flipped", "garbage"])
def test_damage_to_any_file_is_one_sentence_that_names_the_folder(
    saved: Callable[..., tuple[Path, MultitaskModel]], name: str, damage: str
) -> None:
    folder, _ = saved({"lora.rank": 2})
    file = folder / name
    content = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    else:
        flipped = bytearray(content)
        flipped[len(content) // 2] ^= 0xFF  # in a JSON file this is no UTF-8
        changed: dict[str, bytes | bytearray] = {
            "empty": b"",
            "half": content[: len(content) // 2],
            "flipped": flipped,
            "garbage": b'["x"]',
        }
        file.write_bytes(changed[damage])
    with pytest.raises(BertmtError) as caught:
        load_model(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_weights_of_another_recipe_are_refused(saved: Callable[..., tuple[Path, MultitaskModel]]) -> None:
    folder, _ = saved({})
    about = json.loads((folder / "model.json").read_text())
    about["recipe"]["head.sst.layers"] = 2
    (folder / "model.json").write_text(json.dumps(about))
    with pytest.raises(EncoderError, match="disagree"):
        load_model(folder)


def test_a_model_of_a_newer_format_is_refused(saved: Callable[..., tuple[Path, MultitaskModel]]) -> None:
    folder, _ = saved({})
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(about | {"format": 2}))
    with pytest.raises(EncoderError, match="format 2"):
        load_model(folder)
