"""The weights of a trained encoder under the names that transformers has for them, and its adapters alone."""

from collections.abc import Iterator, Mapping

import safetensors.torch
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from bertmt.recipe.groups import Lora

ADAPTER = "default"  # what peft calls the only one
_PEFT_PREFIX = "base_model.model."


def encoder_weights(encoder: nn.Module) -> dict[str, Tensor]:
    """All weights, LoRA merged: W + scale · BA in place of W."""
    weights = {name: tensor for name, tensor in encoder.state_dict().items() if ".lora_" not in name}
    for name, layer in _adapted(encoder):
        weights[f"{name}.base_layer.weight"] = layer.get_base_layer().weight + layer.get_delta_weight(ADAPTER)
    return {name.replace(".base_layer.", "."): tensor for name, tensor in weights.items()}


def adapter_files(encoder: nn.Module, settings: Lora, base: str) -> tuple[dict[str, object], dict[str, Tensor]]:
    """What `PeftModel.from_pretrained` reads: adapter_config.json, and the weights of adapter_model.safetensors.

    Args:
        base: where the frozen encoder is.
    """
    layers = [name for name, _ in _adapted(encoder)]
    config = LoraConfig(
        base_model_name_or_path=base, task_type="FEATURE_EXTRACTION", inference_mode=True, r=settings.rank,
        lora_alpha=settings.alpha or settings.rank, use_rslora=settings.rslora, lora_dropout=settings.dropout,
        target_modules=sorted(layers), bias="none",
    )  # fmt: skip
    document = {name: sorted(value) if isinstance(value, set) else value for name, value in config.to_dict().items()}
    weights = {
        f"{_PEFT_PREFIX}{name.replace(f'.{ADAPTER}.', '.')}": tensor
        for name, tensor in encoder.state_dict().items()
        if ".lora_" in name
    }
    return document, weights


def to_bytes(weights: Mapping[str, Tensor]) -> bytes:
    """A safetensors file, with the note without which transformers refuses it."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    return safetensors.torch.save(whole, metadata={"format": "pt"})


def _adapted(encoder: nn.Module) -> Iterator[tuple[str, LoraLayer]]:
    for name, layer in encoder.named_modules():
        if isinstance(layer, LoraLayer):
            yield name, layer
