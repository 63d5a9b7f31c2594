"""How much memory of a GPU a run will need: by what runs of its recipe held, or else by what its encoder must hold."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bertmt.drawing import numbers
from bertmt.encoders.find import EncoderFiles, find_encoder
from bertmt.encoders.weight_shapes import Shape
from bertmt.errors import BertmtError
from bertmt.recipe.groups import Lora
from bertmt.recipe.loading import from_json
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.settings import Role
from bertmt.registry.database import Database
from bertmt.registry.finding import finished_on_a_gpu
from bertmt.registry.records import Run

MIB = 1024 * 1024
# What a process holds of a GPU before its first tensor: the CUDA context and the kernels of PyTorch's libraries. It
# differs with card, driver and PyTorch. Not measured for this program: a round number for recent ones.
CUDA_CONTEXT_MIB = 500
# `peak_memory_mib` counts tensors. PyTorch's allocator takes larger blocks from the driver and cannot fill them all,
# and another seed puts other sentences into the longest batch.
MARGIN = 1.1
BYTES_PER_NUMBER = 4  # weights, gradients and moments are fp32 in every precision
MOMENTS = 2  # AdamW keeps a mean and a variance of each gradient
# Runtime and resilience weigh nothing on memory, but for the precision of activations and whether they are kept.
_WEIGHTLESS = tuple(
    name
    for name, each in SETTINGS.items()
    if each.role in (Role.RUNTIME, Role.RESILIENCE) and name not in ("precision", "activation_checkpointing")
)


@dataclass(frozen=True)
class MemoryNeed:
    """GPU memory that a run will need, with the CUDA context.

    Attributes:
        evidence: what it rests on, for people; completes "it needs 7,000 MiB, …".
    """

    mib: int
    evidence: str


def memory_need(database: Database, run: Run) -> MemoryNeed | None:
    """What a run will need of a GPU; None where nothing tells (its encoder is not at hand)."""
    held = most_held(past_runs(database, run))
    if held:
        peak, past = held
        return MemoryNeed(
            round(peak * MARGIN) + CUDA_CONTEXT_MIB,
            f"judged by {past.id}, whose tensors held {numbers.count(peak)} MiB",
        )
    try:
        recipe = from_json(run.submission.recipe_json, run.known)
        least = least_mib(recipe, find_encoder(recipe.encoder))
    except BertmtError:  # the child will say what is the matter
        return None
    return MemoryNeed(least + CUDA_CONTEXT_MIB, "at least, for weights, gradients and AdamW's moments alone")


def past_runs(database: Database, run: Run) -> list[Run]:
    """The finished runs on a GPU whose recipe is that of a run but for its seed and what weighs nothing."""
    return finished_on_a_gpu(database, run.submission.recipe_json, besides=_WEIGHTLESS)


def most_held(runs: list[Run]) -> tuple[int, Run] | None:
    """The most MiB that one of these runs held, and which; None where none told."""
    finished = [(event, run) for run in runs if (event := run.progress.finished) is not None]
    told = [(int(peak), run) for event, run in finished if (peak := event.peak_memory_mib)]
    return max(told, key=lambda each: each[0], default=None)


def least_mib(recipe: Recipe, encoder: EncoderFiles) -> int:
    """What weights, gradients and AdamW's moments of the encoders take during a step, in MiB.

    A lower bound: heads (about 1 % beside an encoder), activations and copies in bf16 come on top.
    """
    tasks = len(recipe.tasks)
    encoders = tasks if recipe.trains_apart else 1
    lora = recipe.lora.rank > 0
    trained = adapter_parameters(encoder, recipe.lora) if lora else encoder_parameters(encoder)
    # With LoRA the encoders share what is frozen.
    frozen = encoder_parameters(encoder) if lora else 0
    # Gradient surgery keeps each task's gradient of what they share; otherwise tasks add theirs up. A step of the
    # schedule "alternate" is one task's.
    together = recipe.schedule == "together" and (recipe.trains_apart or recipe.surgery)
    gradients = tasks if together else 1
    count = frozen + (encoders * (1 + MOMENTS) + gradients) * trained
    return count * BYTES_PER_NUMBER // MIB


def encoder_parameters(encoder: EncoderFiles) -> int:
    """How many weights an encoder has without a pooler."""
    return sum(math.prod(shape) for _, shape in _weights(encoder))


def adapter_parameters(encoder: EncoderFiles, lora: Lora) -> int:
    """How many weights the adapters of one encoder have: A (r, inputs) and B (outputs, r) per target."""
    ends = tuple(f".{target}.weight" for target in encoder.family.targets(lora.targets))
    return lora.rank * sum(sum(shape) for name, shape in _weights(encoder) if name.endswith(ends))


def _weights(encoder: EncoderFiles) -> Iterable[Shape]:
    # `tiny` has no config.json.
    sizes = {
        "hidden_size": encoder.hidden_size, "num_hidden_layers": encoder.layers, "vocab_size": encoder.vocabulary_size,
        "intermediate_size": encoder.intermediate_size, "max_position_embeddings": encoder.positions,
        "type_vocab_size": encoder.token_types,
    }  # fmt: skip
    return encoder.family.shapes(encoder.configuration or sizes)
