"""LoRA by peft, against its own definition: W + (alpha/r)·BA."""

import copy

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from bertmt.models.encoder import random_encoder
from bertmt.models.lora import add_adapters, share_weights
from bertmt.recipe.groups import Lora

IDS = torch.tensor([[2, 9, 11, 3], [2, 7, 3, 0]])
MASK = (IDS > 0).long()


@pytest.fixture
def encoder() -> BertModel:
    config = BertConfig(
        vocab_size=30, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512
    )
    return random_encoder(config, seed=0).eval()


def hidden(encoder: BertModel) -> torch.Tensor:
    with torch.no_grad():
        states: torch.Tensor = encoder(input_ids=IDS, attention_mask=MASK).last_hidden_state
    return states


def fill_adapters(encoder: BertModel, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))


def test_new_adapters_change_nothing_at_first(encoder: BertModel) -> None:
    before = hidden(encoder)
    assert torch.equal(hidden(add_adapters(encoder, Lora(rank=4), seed=0)), before)


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        (Lora(rank=4), 1.0),
        (Lora(rank=4, alpha=2.0), 0.5),
        (Lora(rank=4, alpha=4.0, rslora=True), 2.0),
    ],
)
def test_an_adapted_encoder_is_the_one_with_ba_added_to_its_weights(
    encoder: BertModel, settings: Lora, scale: float
) -> None:
    merged = copy.deepcopy(encoder)
    add_adapters(encoder, settings, seed=0)
    fill_adapters(encoder, seed=1)
    adapters = dict(encoder.named_parameters())
    with torch.no_grad():
        for name, layer in merged.named_modules():
            if isinstance(layer, nn.Linear):
                a, b = (adapters[f"{name}.lora_{part}.default.weight"] for part in "AB")
                layer.weight += scale * (b @ a)
    torch.testing.assert_close(hidden(encoder), hidden(merged), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("targets", "per_layer"),
    [
        ("all-linear", {"query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"}),
        ("attention", {"query", "key", "value", "attention.output.dense"}),
        ("query-value", {"query", "value"}),
    ],
)
def test_adapters_stand_on_the_target_layers_of_every_block(
    encoder: BertModel, targets: str, per_layer: set[str]
) -> None:
    add_adapters(encoder, Lora(rank=2, targets=targets), seed=0)
    adapted = {name.split(".lora_A")[0] for name, _ in encoder.named_parameters() if "lora_A" in name}
    blocks = [name.removeprefix("encoder.layer.").split(".", 1) for name in adapted]
    assert {block for block, _ in blocks} == {"0", "1"}
    assert {layer.replace("attention.self.", "") for _, layer in blocks} == per_layer


def test_only_a_and_b_train(encoder: BertModel) -> None:
    add_adapters(encoder, Lora(rank=4), seed=0)
    trained = [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
    assert trained and all("lora_A" in name or "lora_B" in name for name in trained)


def test_dropout_before_the_adapters_is_the_recipes(encoder: BertModel) -> None:
    add_adapters(encoder, Lora(rank=2, dropout=0.3), seed=0)
    found = {
        part.p for name, part in encoder.named_modules() if "lora_dropout" in name and isinstance(part, nn.Dropout)
    }
    assert found == {0.3}


def test_the_first_a_depends_on_the_seed_alone_and_leaves_the_global_generator_as_it_was(encoder: BertModel) -> None:
    before = torch.get_rng_state()
    first = [add_adapters(copy.deepcopy(encoder), Lora(rank=4), seed) for seed in (0, 0, 1)]
    assert torch.equal(before, torch.get_rng_state())
    one, same, other = (
        torch.cat([p.flatten() for name, p in each.named_parameters() if "lora_A" in name]) for each in first
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_encoders_that_share_weights_hold_them_once_and_have_adapters_of_their_own(encoder: BertModel) -> None:
    copies = [add_adapters(share_weights(encoder), Lora(rank=4), seed=0) for _ in range(3)]
    frozen = [[p.data_ptr() for p in each.parameters() if not p.requires_grad] for each in copies]
    assert frozen[0] == frozen[1] == frozen[2] and len(frozen[0]) == len(list(encoder.parameters()))
    assert all(p.requires_grad for each in copies for name, p in each.named_parameters() if "lora_" in name)
    alone = hidden(copies[0])
    fill_adapters(copies[1], seed=3)
    assert torch.equal(hidden(copies[0]), alone) and not torch.equal(hidden(copies[1]), alone)


def test_shared_weights_stay_shared_when_the_model_is_converted(encoder: BertModel) -> None:
    both = nn.ModuleList([add_adapters(share_weights(encoder), Lora(rank=2), seed=0) for _ in range(2)]).double()
    one, other = (each.embeddings.word_embeddings.weight for each in both)  # type: ignore[union-attr]  # torch types a module's parts as Tensor | Module
    assert one is other and one.dtype == torch.float64
