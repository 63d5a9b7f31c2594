"""LoRA: low-rank adapters on the encoder's linear layers, by peft."""

import copy

from torch import nn
from transformers import PreTrainedModel

from bertmt.encoders.families import FAMILIES
from bertmt.models.seeding import seeded
from bertmt.recipe.groups import Lora


def add_adapters(encoder: PreTrainedModel, settings: Lora, seed: int) -> PreTrainedModel:
    """The encoder with W_pretrained + (alpha/r)·BA in place of W, in place; only A and B train.

    B starts at 0, so that the first forward is the pretrained one's. A depends on the seed and the layers alone:
    each adapter of a run starts from the same A, as each full encoder starts from the same weights.

    Args:
        settings: rank r above 0; alpha, by default r (scale 1); rslora divides by √r instead of r; dropout
            before A; targets, the layers that get adapters.

    Raises:
        EncoderError: the encoder's family has no such layers.

    Source: section 4.4, whose W_pretrained + BA gives no scale and whose A (m, r), B (r, n) multiply as AB; scale,
    targets and what stays frozen (embeddings, layer norms, biases) are decision 9.
    """
    # peft takes seconds to import and most runs have no LoRA.
    from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha or settings.rank,
        use_rslora=settings.rslora,
        lora_dropout=settings.dropout,
        target_modules=_target_layers(encoder, FAMILIES[encoder.config.model_type].targets(settings.targets)),
        bias="none",
    )
    with seeded(seed, "lora"):
        inject_adapter_in_model(config, encoder)
    for layer in encoder.modules():
        if hasattr(layer, "cast_input_dtype_enabled"):
            layer.cast_input_dtype_enabled = False  # the packed layers cast what they read, where need be to bf16
    return encoder


def share_weights(encoder: PreTrainedModel) -> PreTrainedModel:
    """A second encoder on the very same parameters: adapters added to one then leave the other as it is.

    With one frozen base and an adapter per task, each task has modules of its own around shared weights. The
    alternative, peft's several adapters in one module, needs `set_adapter` before each forward, which walks all
    layers and freezes the adapters of the other tasks.
    """
    shared = {id(parameter): parameter for parameter in encoder.parameters()}
    return copy.deepcopy(encoder, memo=shared)


def _target_layers(encoder: PreTrainedModel, endings: tuple[str, ...]) -> list[str]:
    dotted = tuple(f".{ending}" for ending in endings)
    return [name for name, layer in encoder.named_modules() if isinstance(layer, nn.Linear) and name.endswith(dotted)]
