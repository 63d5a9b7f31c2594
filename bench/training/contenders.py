"""Who is measured, what each is told, and what each tells of a block of steps. No torch: who measures needs none."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bertmt.encoders.find import find_encoder
from bertmt.errors import EncoderError
from bertmt.recipe.loading import preset
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved

TASKS = ("sst", "para", "sts")
MAX_LENGTH = 128
# Of `final` what trains on the same data as the others: no extra pairs, no phases before training.
FINAL = dict(preset("final").values) | {"extra_data": False, "mnr": False, "cosine_embedding": False}
PLAIN = {"surgery": False}


@dataclass(frozen=True)
class Kind:
    """A contender: the module that trains it, and of bertmt the settings of its recipe.

    Attributes:
        tasks: what it trains; the libraries' trainers train one task each.
    """

    module: str
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = TASKS


PEERS, PRODUCT = "bench.training.peers", "bench.training.product"
CONTENDERS = {
    "course_loop": Kind(f"{PEERS}.course_loop", "course loop"),
    "plain_loop": Kind(f"{PEERS}.plain_loop", "plain fast loop"),
    "hf_trainer_sst": Kind(f"{PEERS}.hf_trainer", "HF Trainer, SST", tasks=("sst",)),
    "st_trainer_sts": Kind(f"{PEERS}.st_trainer", "Sentence-Transformers, STS", tasks=("sts",)),
    "st_trainer_para": Kind(f"{PEERS}.st_trainer", "Sentence-Transformers, PARA", tasks=("para",)),
    "baseline": Kind(PRODUCT, "bertmt baseline"),
    "baseline_sum": Kind(PRODUCT, "bertmt baseline, no surgery", PLAIN),
    "lora200": Kind(PRODUCT, "bertmt LoRA r=200", {"lora.rank": 200}),
    "lora200_sum": Kind(PRODUCT, "bertmt LoRA r=200, no surgery", {"lora.rank": 200, **PLAIN}),
    "ensembled": Kind(PRODUCT, "bertmt ensembled", {"ensembling": True}),
    "final": Kind(PRODUCT, "bertmt final", FINAL),
}
LIBRARIES = ("hf_trainer_sst", "st_trainer_sts", "st_trainer_para")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a contender's process is told.

    Attributes:
        settings: of a bertmt recipe, beyond those of the measure.
        data: `toy`, or a folder in the CS224N format.
        dev_examples: per task, at most; 0: all.
        device: "cpu", or "cuda:<uuid>".
    """

    module: str
    batch_size: int
    encoder: str
    data: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = TASKS
    dev_examples: int = 0
    device: str = "cpu"

    @property
    def recipe(self) -> Recipe:
        """The recipe of a bertmt run with these settings."""
        scale = {"encoder": self.encoder, "data": self.data, "batch_size": self.batch_size, "max_length": MAX_LENGTH}
        given = {"tasks": list(self.tasks), "evaluate_examples": self.dev_examples, **scale, **self.settings}
        return resolved(recipe_from(given))

    @property
    def learning_rate(self) -> float:
        """That of the recipe, for peers too."""
        rate = self.recipe.learning_rate
        assert rate is not None  # of a resolved recipe
        return rate

    @property
    def device_type(self) -> str:
        """As PyTorch calls it."""
        return "cpu" if self.device == "cpu" else "cuda"

    def text(self) -> str:
        return json.dumps(asdict(self))


def order_from(text: str) -> Order:
    """What `Order.text` wrote."""
    values = json.loads(text)
    return Order(**{**values, "tasks": tuple(values["tasks"])})


def order_of(name: str, **given: Any) -> Order:
    """The order of a contender of the list."""
    kind = CONTENDERS[name]
    return Order(module=kind.module, settings=kind.settings, tasks=kind.tasks, **given)


@dataclass(frozen=True, kw_only=True)
class Block:
    """What a block of steps was.

    Attributes:
        tokens: without padding; of pairs those of both sentences.
        places: with it.
        flops: of the model on the real tokens, see `flops.py`.
        seconds: wall time.
        loss: of the last step, the sum over its tasks.
    """

    steps: int
    examples: int
    tokens: int
    places: int
    flops: float
    seconds: float
    loss: float


class Contender(Protocol):
    """Trains the encoder in its way.

    Attributes:
        precision: in which the encoder's matrix products are computed: fp32 or bf16.
    """

    precision: str

    def train(self, steps: int, warm_up: int) -> Block:
        """Go on training for `warm_up` and then `steps` steps; a step has a batch of each task. Tell of the latter."""
        ...

    def evaluate(self) -> Mapping[str, float | None]:
        """Dev scores by task."""
        ...


def default_encoder() -> str:
    """minilm where it is at hand, else tiny."""
    try:
        return find_encoder("minilm").name
    except EncoderError:
        return "tiny"


def absolute_data(data: str) -> str:
    """`toy`, or the folder's full name: children run elsewhere."""
    return data if data == "toy" else str(Path(data).expanduser().absolute())
