"""What a new run takes where nobody named anything: the embedded data and encoder, at a scale for a CPU."""

from collections.abc import Collection, Mapping
from typing import Any

from bertmt import paths
from bertmt.encoders.find import find_encoder
from bertmt.errors import EncoderError
from bertmt.recipe.recipe import Recipe

# Two minutes at most on two cores for the preset that takes longest. With 1e-3 adapters of rank 200 diverge
# (docs/lab_notes.md), so that is for heads alone, which start at random and need it; the rest has
# the encoder's own 3e-4.
EMBEDDED: Mapping[str, Any] = {
    "data": "toy", "encoder": "tiny", "epochs": 4, "epoch_steps": 120, "learning_rate": 3e-4,
    "head_learning_rate": 1e-3,
}  # fmt: skip
SAID = (
    "Nothing is named, so the data are toy and the encoder is tiny, which are embedded; for your own: "
    "`bertmt init --data DIR`, and `bertmt fetch bert-base-uncased` for the paper's encoder."
)
_NAMING = ("data", "encoder", "extra_data_file")


def embedded_defaults(named: Collection[str]) -> Mapping[str, Any]:
    """The settings of a run in a folder without `bertmt.toml`, on a machine without the paper's encoder; else none.

    Args:
        named: settings that a person gave a value. With data or an encoder among them nothing is chosen for him.
    """
    if any(name in named for name in _NAMING) or paths.settings_path() is not None:
        return {}
    try:
        find_encoder(Recipe().encoder)
    except EncoderError:
        return EMBEDDED
    return {}
