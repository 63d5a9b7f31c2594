"""The multitask model: encoder or encoders, heads, and what each task predicts."""

from collections.abc import Callable

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel

from bertmt.models.heads import build_head
from bertmt.models.lora import add_adapters, share_weights
from bertmt.models.pooling import Pooling, pool
from bertmt.models.tokenizing import TokenBatch
from bertmt.recipe.recipe import Recipe

SHARED = "shared"


class MultitaskModel(nn.Module):
    """Predicts the tasks that its recipe trains.

    Only the encoder runs in bf16, where `encoder_dtype` says so: pooling, heads and cosines are fp32, since bf16
    cosines near 1 lie on a grid of 1/256. Weights are fp32 throughout.

    Args:
        recipe: tasks, ensembling, LoRA, heads, super concat and seed are read.
        load: gives a fresh encoder with the same pretrained weights at each call.

    Attributes:
        encoders: by task if ensembled, else one called "shared". With one task the two are the same model
            (decision 12).
        config: the encoder's shape.
        encoder_dtype: torch.float32, or torch.bfloat16 for autocast of the encoder.

    Source: sections 4.1 and 4.2. The heads' maps have a bias, which the paper's l = E W does not show.
    """

    def __init__(self, recipe: Recipe, load: Callable[[], PreTrainedModel]):
        super().__init__()
        self.tasks = recipe.tasks
        self.super_concat = recipe.super_concat
        self.separate = recipe.ensembling and len(recipe.tasks) > 1
        names = recipe.tasks if self.separate else (SHARED,)
        encoders = _encoders(recipe, load, names)
        self.encoders = nn.ModuleDict(encoders)
        self.config: PreTrainedConfig = encoders[names[0]].config
        heads = {task: build_head(recipe, task, self.config.hidden_size) for task in recipe.tasks}
        self.heads = nn.ModuleDict({task: head for task, head in heads.items() if head is not None})
        self.encoder_dtype = torch.float32

    def encoder(self, task: str) -> nn.Module:
        """The encoder that a task uses.

        Raises:
            KeyError: the recipe does not train the task.
        """
        if task not in self.tasks:
            raise KeyError(f"This model has no task {task!r}, only {', '.join(self.tasks)}.")
        return self.encoders[task if self.separate else SHARED]

    def embed(self, task: str, tokens: TokenBatch, pooling: Pooling = "mean") -> Float32[Tensor, "rows hidden"]:
        """Embeddings of sentences."""
        with torch.autocast(tokens.input_ids.device.type, torch.bfloat16, enabled=self.encoder_dtype is torch.bfloat16):
            hidden = self.encoder(task)(
                input_ids=tokens.input_ids, attention_mask=tokens.attention_mask
            ).last_hidden_state
        return pool(hidden.float(), tokens.attention_mask, pooling)

    def embed_pair(
        self, task: str, tokens: TokenBatch, pooling: Pooling = "mean"
    ) -> tuple[Float32[Tensor, "batch hidden"], Float32[Tensor, "batch hidden"]]:
        """E1 and E2 of a batch of pairs, whose rows are the first sentences, then the second ones.

        Both go through the encoder as one batch, in half the passes.

        Raises:
            ValueError: the number of rows is odd.
        """
        if len(tokens.input_ids) % 2:
            raise ValueError(f"Pairs need an even number of rows, but there are {len(tokens.input_ids)}.")
        first, second = self.embed(task, tokens, pooling).chunk(2)
        return first, second

    def forward(self, task: str, tokens: TokenBatch) -> Float32[Tensor, "batch *classes"]:
        """What a task predicts.

        SST: logits. PARA: a logit before the sigmoid, from [E1; E2], or with super concat from [E1; E2; E2 − E1]
        (4.2, point 3; decision 13). STS: cos(E1, E2).

        Args:
            tokens: of sentences for SST; of pairs for PARA and STS, as in `embed_pair`.
        """
        if task == "sst":
            embeddings = self.embed(task, tokens)
            logits: Tensor = self.heads[task](embeddings)
            return logits
        first, second = self.embed_pair(task, tokens)
        if task == "sts":
            return functional.cosine_similarity(first, second, dim=-1)
        parts = [first, second, second - first] if self.super_concat else [first, second]
        pair_logits: Tensor = self.heads[task](torch.cat(parts, dim=-1))
        return pair_logits.squeeze(-1)

    def encoder_parameters(self, task: str) -> list[nn.Parameter]:
        """The parameters of the task's encoder that train, in a fixed order; with LoRA its A and B only."""
        return [parameter for parameter in self.encoder(task).parameters() if parameter.requires_grad]

    def head_parameters(self, task: str) -> list[nn.Parameter]:
        """The parameters of the task's head, in a fixed order; none for STS."""
        return list(self.heads[task].parameters()) if task in self.heads else []

    def recompute_activations(self) -> None:
        """From now on keep only each encoder layer's input, and compute the rest anew in the backward pass.

        The random state of each layer is put back for that, so losses and gradients are the same to the bit: the
        memory of the activations goes down to about a layer's, for a third more time.
        """
        for encoder in self.encoders.values():
            assert isinstance(encoder, PreTrainedModel)
            # transformers 5.23 renamed it.
            enable = getattr(encoder, "activation_checkpointing_enable", None) or encoder.gradient_checkpointing_enable
            enable({"use_reentrant": False, "preserve_rng_state": True})

    def shared_parameters(self) -> list[nn.Parameter]:
        """Encoder parameters that more than one task trains, the ones that gradient surgery is about."""
        return [] if self.separate or len(self.tasks) == 1 else self.encoder_parameters(self.tasks[0])


def _encoders(
    recipe: Recipe, load: Callable[[], PreTrainedModel], names: tuple[str, ...]
) -> dict[str, PreTrainedModel]:
    if not recipe.lora.rank:
        return {name: load() for name in names}
    base = load()
    copies = {name: share_weights(base) for name in names}
    return {name: add_adapters(encoder, recipe.lora, recipe.seed) for name, encoder in copies.items()}
