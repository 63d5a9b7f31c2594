"""Every setting that a recipe has: its default, its role, its bounds, and one line of help.

Defaults are the paper's baseline (section 4.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.recipe.groups import Head, Lora, group, group_by_task
from bertmt.recipe.settings import Role, setting
from bertmt.tasks.builtin import BUILTIN

TOGGLE, SCALE, RUNTIME, RESILIENCE = Role.TOGGLE, Role.SCALE, Role.RUNTIME, Role.RESILIENCE
_NAMES = tuple(BUILTIN)


@dataclass(frozen=True, kw_only=True)
class AllSettings:
    """The fields of `Recipe`, which has the methods."""

    # The method: what the paper toggles.
    tasks: tuple[str, ...] = setting(_NAMES, "list", TOGGLE, "which tasks are trained", choices=_NAMES)
    ensembling: bool = setting(False, "bool", TOGGLE, "one encoder per task instead of a shared one")
    super_concat: bool = setting(False, "bool", TOGGLE, "a head reads [E1; E2; E2 − E1] of a pair")
    pair_features: str | None = setting(
        None,
        "str",
        TOGGLE,
        "what a head reads of a pair: E1, E2 (concat), E2 − E1 too (super), or |E1 − E2| (difference), and E1 · E2 "
        "(product); defaults to what super_concat says",
        choices=("concat", "super", "difference", "product"),
        optional=True,
    )
    extra_data: bool = setting(False, "bool", TOGGLE, "add the extra paraphrase pairs to the training split")
    pearson: bool = setting(False, "bool", TOGGLE, "Pearson loss instead of MSE where labels are numbers")
    pair_input: str = setting(
        "separate",
        "str",
        TOGGLE,
        "a pair is read as two inputs, as one (joint; a head predicts what a cosine did), or as both, averaged",
        choices=("separate", "joint", "both"),
    )
    number_loss: str | None = setting(
        None,
        "str",
        TOGGLE,
        "loss where labels are numbers; scaled_cosine: MSE of (1 + cosine)/2; defaults to what pearson says",
        choices=("mse", "pearson", "cosent", "scaled_cosine"),
        optional=True,
    )
    mlm_epochs: int = setting(
        0, "int", TOGGLE, "epochs of guessing hidden words of the tasks' own sentences, before all else", minimum=0
    )
    mnr: bool = setting(False, "bool", TOGGLE, "pretrain pairs whose labels are numbers with MNR")
    cosine_embedding: bool = setting(False, "bool", TOGGLE, "pretrain them with the cosine embedding loss")
    losses: tuple[str, ...] = setting(
        (), "texts", TOGGLE, "losses of your own, added to the tasks': mine.py:my_loss, or mine.py:my_loss TASK 0.5"
    )
    pooling: str = setting(
        "mean", "str", TOGGLE, "from a sentence's tokens to its embedding", choices=("mean", "cls", "max")
    )
    lora: Lora = group(Lora)
    head: Mapping[str, Head] = group_by_task(Head)
    surgery: bool = setting(True, "bool", TOGGLE, "gradient surgery (PCGrad) between the tasks")
    schedule: str = setting(
        "together",
        "str",
        TOGGLE,
        "one optimizer step for a batch of each task, or a step per task batch",
        choices=("together", "alternate"),
    )
    stages: tuple[str, ...] = setting(
        ("multitask",),
        "list",
        TOGGLE,
        "multitask; with single behind it as many epochs again, each task on its own copy of the encoder",
        choices=("multitask", "single"),
    )
    sampling: str = setting(
        "together",
        "str",
        TOGGLE,
        "together: by schedule; else a step is of one task, drawn by size, or ever less so (annealed)",
        choices=("together", "proportional", "annealed"),
    )
    learning_rate_schedule: str = setting(
        "constant",
        "str",
        TOGGLE,
        "after the warm-up: constant, or falling to 0 along a line or half a cosine",
        choices=("constant", "linear", "cosine"),
    )
    warmup: float = setting(
        0.0, "float", TOGGLE, "share of the steps over which the learning rate rises from 0", minimum=0, maximum=1
    )
    gradient_clip: float = setting(
        0.0, "float", TOGGLE, "longest gradient that a step applies, by its norm; 0 is no limit", minimum=0
    )
    r_drop: float = setting(
        0.0, "float", TOGGLE, "weight of what two passes with other dropouts disagree in; 0 is one pass", minimum=0
    )
    weight_average: float = setting(
        0.0,
        "float",
        TOGGLE,
        "the run's weights are the mean over this share of the steps, the last ones",
        minimum=0,
        maximum=1,
    )

    members: tuple[str, ...] = setting(
        (), "texts", TOGGLE, "ids of the runs that it is the average of; `bertmt average` sets it"
    )

    # Constants of the method.
    cosent_scale: float = setting(20.0, "float", TOGGLE, "factor on the differences of CoSENT", above=0)
    mnr_scale: float = setting(1.0, "float", TOGGLE, "factor on the cosines of MNR", above=0)
    mnr_threshold: float = setting(
        4.0, "float", TOGGLE, "minimum similarity of a pair used by MNR", minimum=0, maximum=5
    )
    cosine_positive: float = setting(
        3.5, "float", TOGGLE, "minimum similarity that the cosine embedding loss pulls together", minimum=0, maximum=5
    )
    cosine_negative: float = setting(
        1.0, "float", TOGGLE, "similarity below which it pushes apart", minimum=0, maximum=5
    )
    pretraining_epochs: int = setting(1, "int", TOGGLE, "epochs of MNR and of cosine embedding", minimum=1)
    pretraining_order: str = setting(
        "mnr_first",
        "str",
        TOGGLE,
        "which comes first where both pretrain; cosine_first as the paper's section 5.3 lists them",
        choices=("mnr_first", "cosine_first"),
    )
    head_dropout: float = setting(
        0.2, "float", TOGGLE, "dropout on the input and the hidden layers of a head", minimum=0, maximum=0.9
    )
    head_output_dropout: float = setting(
        0.1, "float", TOGGLE, "dropout before a head's last map", minimum=0, maximum=0.9
    )

    # The scale: encoder, data, budget.
    encoder: str = setting(
        "bert-base-uncased", "str", SCALE, "tiny, minilm, a model downloaded by `bertmt fetch`, or a local folder"
    )
    data: str = setting("", "str", SCALE, "toy, or a folder in the CS224N format")
    extra_data_file: str = setting("", "str", SCALE, "extra paraphrase pairs, .jsonl or .jsonl.gz (toy has its own)")
    extra_data_limit: int = setting(50_000, "int", SCALE, "maximum number of extra pairs", minimum=1)
    epochs: int = setting(10, "int", SCALE, "epochs of training", minimum=1)
    epoch: str = setting(
        "longest",
        "str",
        SCALE,
        "an epoch lasts until the longest task is used up; with each, used-up tasks sit out",
        choices=("longest", "each"),
    )
    epoch_steps: int = setting(0, "int", SCALE, "maximum steps per epoch; 0 is no limit", minimum=0)
    batch_size: int = setting(8, "int", SCALE, "examples per batch and task", minimum=1)
    learning_rate: float | None = setting(
        None, "float", SCALE, "of the encoder; defaults to the encoder's own (1e-5)", above=0, optional=True
    )
    head_learning_rate: float | None = setting(
        None, "float", SCALE, "of the heads; defaults to the encoder's", above=0, optional=True
    )
    weight_decay: float = setting(0.01, "float", SCALE, "AdamW's, not on biases and layer norms", minimum=0)
    warmup_steps: int = setting(0, "int", SCALE, "steps over which the learning rate rises from 0", minimum=0)
    max_length: int = setting(128, "int", SCALE, "maximum tokens per sentence", minimum=4, maximum=512)
    select: str = setting(
        "last", "str", SCALE, "which epoch's scores and weights are the run's", choices=("last", "best")
    )
    early_stopping: int = setting(
        0, "int", SCALE, "stop after this many evaluations without a better dev score; 0 is never", minimum=0
    )
    evaluate_examples: int = setting(0, "int", SCALE, "maximum dev examples per task; 0 is all", minimum=0)

    # Runtime: what does not change what is compared.
    evaluate_every: int = setting(1, "int", RUNTIME, "evaluate every N epochs (and always after the last)", minimum=1)
    evaluate_steps: int = setting(
        0, "int", RUNTIME, "partial dev scores every N steps; 0: about ten per run, in 3 % of its time", minimum=0
    )
    partial_examples: int = setting(
        100, "int", RUNTIME, "dev examples per task of partial scores; 0: no partial scores", minimum=0
    )
    precision: str = setting(
        "auto",
        "str",
        RUNTIME,
        "of the encoder; auto is bf16 where the processor is fast at it",
        choices=("auto", "fp32", "bf16"),
    )
    keep_model: bool = setting(True, "bool", RUNTIME, "keep the trained weights, not only scores and predictions")
    seed: int = setting(0, "int", RUNTIME, "seed of weights, data order and dropout", minimum=0, maximum=2**31 - 1)

    # Resilience: what makes a run survive; none of it changes what is trained.
    checkpoint_steps: int = setting(0, "int", RESILIENCE, "checkpoint every N steps; 0: by time only", minimum=0)
    checkpoint_minutes: float = setting(
        10.0, "float", RESILIENCE, "checkpoint every N minutes, besides each epoch; 0: none", minimum=0
    )
    requeue_lost: bool = setting(True, "bool", RESILIENCE, "requeue the run once if its process is lost")
    activation_checkpointing: bool = setting(
        False, "bool", RESILIENCE, "recompute activations in the backward pass: less memory, a third more time"
    )
    deterministic: bool = setting(
        False, "bool", RESILIENCE, "bit-reproducible algorithms on a GPU; on a CPU they always are"
    )
