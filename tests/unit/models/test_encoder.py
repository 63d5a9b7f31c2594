"""Loading encoders: the same weights each time, nothing missing, nothing random left behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from transformers import BertModel

from bertmt.errors import EncoderError
from bertmt.models.encoder import load_encoder
from bertmt.models.packed.encoder import PackedEncoder
from bertmt.models.packed.layout import Pass, TokenBatch


def same_weights(one: BertModel, other: BertModel) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


def rewrite_weights(
    folder: Path, change: Callable[..., dict[Any, Any]] | Callable[..., dict[str, torch.Tensor]] | Callable[..., Any]
) -> None:
    file = folder / "model.safetensors"
    safetensors.torch.save_file(change(safetensors.torch.load_file(file)), file, metadata={"format": "pt"})


def test_loading_leaves_the_global_generator_as_it_was(bert_folder: Path) -> None:
    before = torch.get_rng_state()
    load_encoder("tiny")
    load_encoder(str(bert_folder))
    assert torch.equal(before, torch.get_rng_state())


def test_a_local_encoder_has_the_weights_of_its_file_in_fp32_and_no_pooler(bert_folder: Path) -> None:
    stored = safetensors.torch.load_file(bert_folder / "model.safetensors")
    encoder = load_encoder(str(bert_folder))
    loaded = encoder.state_dict()
    assert loaded.keys() == {name for name in stored if not name.startswith("pooler.")}
    assert all(torch.equal(tensor, stored[name]) and tensor.dtype == torch.float32 for name, tensor in loaded.items())
    assert encoder.config._attn_implementation == "sdpa"


def test_the_hubs_old_names_of_weights_are_understood(bert_folder: Path) -> None:
    """bert-base-uncased itself is stored so: `bert.` in front, gamma and beta in layer norms, a head behind."""

    def old_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        renamed = {
            "bert."
            + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): each
            for name, each in weights.items()
        }
        return renamed | {"cls.predictions.bias": torch.zeros(3)}

    # Layer norms start at 1 and 0 anyway: without other values a lost one would not show.
    rewrite_weights(bert_folder, lambda weights: {name: each + 0.5 for name, each in weights.items()})
    expected = load_encoder(str(bert_folder))
    rewrite_weights(bert_folder, old_names)
    assert same_weights(expected, load_encoder(str(bert_folder)))


def test_half_precision_weights_become_fp32(bert_folder: Path) -> None:
    rewrite_weights(bert_folder, lambda weights: {name: each.half() for name, each in weights.items()})
    config = bert_folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"dtype": "float16"}))
    encoder = load_encoder(str(bert_folder))
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


def test_a_missing_weight_is_an_error_and_never_a_random_one(bert_folder: Path) -> None:
    name = "encoder.layer.1.output.dense.weight"
    rewrite_weights(bert_folder, lambda weights: {key: each for key, each in weights.items() if key != name})
    with pytest.raises(EncoderError, match=r"lacks encoder\.layer\.1\.output\.dense\.weight"):
        load_encoder(str(bert_folder))


def test_a_weight_of_another_shape_is_an_error_of_one_line(bert_folder: Path) -> None:
    name = "encoder.layer.0.output.dense.weight"
    rewrite_weights(bert_folder, lambda weights: weights | {name: torch.zeros(3, 3)})
    with pytest.raises(EncoderError) as caught:
        load_encoder(str(bert_folder))
    assert "\n" not in str(caught.value) and str(bert_folder) in str(caught.value)


def test_loading_says_nothing(bert_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_encoder(str(bert_folder))
    assert capfd.readouterr() == ("", "")


def test_sentences_beside_it_do_not_change_what_is_made_of_a_sentence(bert_folder: Path) -> None:
    plain, packed = load_encoder(str(bert_folder)).eval(), PackedEncoder(load_encoder(str(bert_folder)).eval())
    ids = [2, 9, 11, 3]
    beside = TokenBatch.of([[2, 7, 3], ids, [2, 8, 12, 13, 14, 3]])
    with torch.no_grad():
        alone = plain(input_ids=torch.tensor([ids])).last_hidden_state[0]
        found = packed(Pass.of({"sst": beside}, packed.heads), torch.float32)[3:7]
    torch.testing.assert_close(found, alone)
