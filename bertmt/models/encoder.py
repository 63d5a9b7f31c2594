"""Loading an encoder: pretrained, from safetensors, through transformers."""

from copy import deepcopy

import torch
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging as library_logging

from bertmt.encoders.families import FAMILIES
from bertmt.encoders.find import find_encoder
from bertmt.errors import EncoderError
from bertmt.models.seeding import seeded

ATTENTION = "sdpa"


def load_encoder(name: str) -> PreTrainedModel:
    """A fresh encoder in fp32, offline, without a pooler.

    Raises:
        EncoderError: it is not at hand, of no family that is known, or its weights do not fit its config.json.
    """
    files = find_encoder(name)
    silence_the_library()
    try:
        config = CONFIG_MAPPING[files.model_type](**files.configuration)
        # Missing weights are first drawn at random: not from the run's own generator.
        with seeded(0, "missing weights"):
            model, report = AutoModel.from_pretrained(
                files.folder,
                config=config,
                attn_implementation=ATTENTION,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **unpooled(config),
            )
    except Exception as problem:  # whatever the library raises on odd files; its last line says what
        reason = str(problem).strip().splitlines()[-1] if str(problem).strip() else type(problem).__name__
        raise EncoderError(f"The encoder in {files.folder} cannot be loaded: {reason.rstrip('.')}.") from problem
    missing = sorted(report["missing_keys"])
    if missing:
        raise EncoderError(
            f"The encoder {name!r} in {files.folder} lacks {len(missing)} of its weights, {missing[0]} among them; "
            f"fetch it again or choose another encoder."
        )
    # They are the file itself, mapped into memory: who overwrites it would change what is being trained.
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
    found: PreTrainedModel = model
    return found


def random_encoder(config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    """An encoder with its family's random initial weights; the global generator is left as it was."""
    config = deepcopy(config)  # which attention a model uses stands there: another one's choice must not change it
    with seeded(seed, "encoder"):
        model: PreTrainedModel = AutoModel.from_config(config, attn_implementation=ATTENTION, **unpooled(config))
    return model


def unpooled(config: PreTrainedConfig) -> dict[str, bool]:
    """What leaves out a pooler, where a family has one: it would be trained by nothing."""
    return {"add_pooling_layer": False} if FAMILIES[config.model_type].has_pooler else {}


def silence_the_library() -> None:
    """No progress bar, no table of heads' weights that are rightly not used, no word on tokens of generation."""
    library_logging.set_verbosity_error()
    library_logging.disable_progress_bar()
