"""Loading an encoder: pretrained, from safetensors, through transformers."""

import torch
from transformers import BertConfig, BertModel
from transformers.utils import logging as library_logging

from bertmt.encoders.find import find_encoder
from bertmt.errors import EncoderError
from bertmt.models.seeding import seeded

ATTENTION = "sdpa"


def load_encoder(name: str) -> BertModel:
    """A fresh encoder in fp32, offline, without BERT's pooler.

    Raises:
        EncoderError: it is not at hand, not a BERT in safetensors, or its weights do not fit its config.json.
    """
    files = find_encoder(name)
    _silence_the_library()
    try:
        # Missing weights are first drawn at random: not from the run's own generator.
        with seeded(0, "missing weights"):
            model, report = BertModel.from_pretrained(
                files.folder,
                config=BertConfig(**files.configuration),
                add_pooling_layer=False,
                attn_implementation=ATTENTION,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
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
    return model


def random_encoder(config: BertConfig, seed: int) -> BertModel:
    """An encoder with BERT's random initial weights; the global generator is left as it was."""
    config._attn_implementation = ATTENTION  # what from_pretrained(attn_implementation=…) sets
    with seeded(seed, "encoder"):
        return BertModel(config, add_pooling_layer=False)


def _silence_the_library() -> None:
    """No progress bar, and no table of the pooler and masked-language weights that are rightly not used."""
    library_logging.set_verbosity_error()
    library_logging.disable_progress_bar()
