"""The multitask model: encoder or encoders, heads, and what each task predicts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import MappingProxyType

import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel

from bertmt.encoders.families import FAMILIES
from bertmt.models.guessing import GuessingHead
from bertmt.models.heads import NONE, build_heads
from bertmt.models.lora import add_adapters, share_weights
from bertmt.models.packed.encoder import PackedEncoder
from bertmt.models.packed.layout import Pass, TokenBatch
from bertmt.models.packed.task_gradients import TaskGradients
from bertmt.models.pooling import Pooling, pool
from bertmt.recipe.recipe import Recipe
from bertmt.tasks.task import Task

SHARED = "shared"
_EMPTY = nn.ModuleDict()


class MultitaskModel(nn.Module):
    """Predicts the tasks that its recipe trains.

    Only the encoder runs in bf16, where `encoder_dtype` says so: pooling, heads and cosines are fp32, since bf16
    cosines near 1 lie on a grid of 1/256. Weights are fp32 throughout.

    Args:
        recipe: tasks, ensembling, LoRA, heads, pair features and seed are read.
        load: gives a fresh encoder with the same pretrained weights at each call.
        own_heads: see `build_heads`.
        together: begin with an encoder that all tasks share, whatever the recipe ends with; see `part`.

    Attributes:
        encoders: by task if each has its own, else one called "shared". With one task the two are the same model
            (decision 12).
        config: the encoder's shape.
        packed: the encoders as they read tokens, by the same names.
        guessing: the head that guesses hidden words, by encoder, while it is trained; else empty.
        encoder_dtype: torch.float32, or torch.bfloat16 for the products of the encoder.

    Source: sections 4.1 and 4.2. The heads' maps have a bias, which the paper's l = E W does not show.
    """

    def __init__(
        self,
        recipe: Recipe,
        load: Callable[[], PreTrainedModel],
        own_heads: Mapping[str, Callable[[int, int], nn.Module]] = NONE,
        *,
        together: bool = False,
    ):
        super().__init__()
        self.tasks = recipe.tasks
        self.about = recipe.trained()
        self.inputs = {name: recipe.input_of(task) for name, task in self.about.items()}
        self.features = recipe.features
        self.pooling: Pooling = recipe.pooling  # type: ignore[assignment]  # one of its choices
        self.separate = recipe.trains_apart and not together
        names = tuple(map(_key, recipe.tasks)) if self.separate else (SHARED,)
        encoders = _encoders(recipe, load, names)
        self.encoders = nn.ModuleDict(encoders)
        self.packed = {name: PackedEncoder(encoder) for name, encoder in encoders.items()}
        self.config: PreTrainedConfig = encoders[names[0]].config
        heads = {task: build_heads(recipe, task, self.config.hidden_size, own_heads) for task in recipe.tasks}
        self.heads = nn.ModuleDict(
            {_key(task, read): head for task, by_input in heads.items() for read, head in by_input.items()}
        )
        self.guessing = nn.ModuleDict()
        self.encoder_dtype = torch.float32

    def guess_words(self, task: str, head: GuessingHead | None) -> None:
        """From here on the task's encoder is pretrained with a head, or no longer."""
        name = self.encoder_name(task)
        self.packed[name].row_by_row = head is None
        self.guessing = nn.ModuleDict({} if head is None else {name: head.to(next(self.parameters()).device)})

    def guesses(
        self, task: str, tokens: TokenBatch, goals: Int64[Tensor, "tokens"]
    ) -> tuple[Float32[Tensor, "real words"], Int64[Tensor, "real"]]:
        """Logits for the hidden tokens of a batch, and what stood there.

        Args:
            goals: as of `MaskedBatch`.
        """
        name = self.encoder_name(task)
        current = Pass.of({task: tokens}, self.packed[name].heads)
        hidden = self.packed[name](current, self.encoder_dtype)[: len(goals)]
        asked = goals >= 0
        logits: Tensor = self.guessing[name](hidden[asked])
        return logits, goals[asked]

    def part(self) -> None:
        """From here on each task has an encoder of its own, which begins as the shared one is."""
        shared = self.packed.pop(SHARED)
        del self.encoders[SHARED]
        self.separate = True
        for name in map(_key, self.tasks):
            self.encoders[name] = encoder = shared.copied()
            self.packed[name] = PackedEncoder(encoder)

    def encoder_name(self, task: str) -> str:
        """Which of the encoders a task uses.

        Raises:
            KeyError: the recipe does not train the task.
        """
        self._task(task)
        return _key(task) if self.separate else SHARED

    def encoder(self, task: str) -> nn.Module:
        """The encoder that a task uses."""
        return self.encoders[self.encoder_name(task)]

    def _task(self, name: str) -> Task:
        if name not in self.about:
            raise KeyError(f"This model has no task {name!r}, only {', '.join(self.about)}.")
        return self.about[name]

    def passes(self, batches: Mapping[str, TokenBatch], *, apart: bool = False) -> dict[str, Pass]:
        """The sentences of several tasks as one pass for each encoder, by the encoder's name.

        Args:
            apart: the gradients of tasks that share an encoder are to be kept apart.
        """
        by_encoder: dict[str, dict[str, TokenBatch]] = {}
        for task, tokens in batches.items():
            by_encoder.setdefault(self.encoder_name(task), {})[task] = tokens
        return {name: Pass.of(tokens, self.packed[name].heads, apart=apart) for name, tokens in by_encoder.items()}

    def embed_passes(
        self,
        passes: Mapping[str, Pass],
        pooling: Pooling | None = None,
        gradients: Mapping[str, TaskGradients] = MappingProxyType({}),
    ) -> dict[str, Float32[Tensor, "sentences hidden"]]:
        """Embeddings of the sentences of each task.

        Args:
            pooling: None: the recipe's.
            gradients: by encoder where the gradients of its weights go in the backward pass; else to `.grad`.
        """
        found: dict[str, Tensor] = {}
        for name, current in passes.items():
            hidden = self.packed[name](current, self.encoder_dtype, gradients.get(name))
            embeddings = pool(hidden, current, pooling or self.pooling).split(list(current.sentences.values()))
            found |= dict(zip(current.sentences, embeddings, strict=True))
        return found

    def embed(
        self, task: str, tokens: TokenBatch, pooling: Pooling | None = None
    ) -> Float32[Tensor, "sentences hidden"]:
        """Embeddings of sentences."""
        return self.embed_passes(self.passes({task: tokens}), pooling)[task]

    def embed_pair(
        self, task: str, tokens: TokenBatch, pooling: Pooling | None = None
    ) -> tuple[Float32[Tensor, "batch hidden"], Float32[Tensor, "batch hidden"]]:
        """E1 and E2 of a batch of pairs: the first sentences, then the second ones.

        Raises:
            ValueError: the number of sentences is odd.
        """
        return halves(self.embed(task, tokens, pooling))

    def forward(self, task: str, tokens: TokenBatch) -> Float32[Tensor, "batch *classes"]:
        """What a task predicts.

        Of classes logits, of two a single one before the sigmoid; of a number the head's output, or cos(E1, E2), as
        the task has it. A head of pairs reads `pair_features`.

        Args:
            tokens: as `tokens` has them.
        """
        return self.predict(task, self.parts(task, self.embed(task, tokens)))

    def tokens(self, task: str, first: Sequence[Sequence[int]], second: Sequence[Sequence[int]] | None) -> TokenBatch:
        """Examples of a task as its encoder reads them, on the CPU.

        Sentences; of pairs the first ones and then the second ones, or each pair as one, or all three.

        Args:
            first, second: token ids of the sentences; of single ones there is no second.
        """
        if second is None:
            return TokenBatch.of(first)
        separate, joint = (self.inputs[task] in each for each in (("separate", "both"), ("joint", "both")))
        parts = [TokenBatch.of([*first, *second])] if separate else []
        if joint:
            parts.append(TokenBatch.joint(first, second, FAMILIES[self.config.model_type].ends_between))
        return sum(parts[1:], parts[0])

    def parts(
        self, task: str, embeddings: Float32[Tensor, "sentences hidden"]
    ) -> tuple[Float32[Tensor, "batch hidden"], ...]:
        """E of sentences, and of pairs that are read as one; E1 and E2 of pairs; E1, E2 and E of pairs read as both."""
        if not self._task(task).pair or self.inputs[task] == "joint":
            return (embeddings,)
        return halves(embeddings) if self.inputs[task] == "separate" else embeddings.chunk(3)

    def predictions(
        self, task: str, embeddings: Sequence[Float32[Tensor, "batch hidden"]]
    ) -> list[Float32[Tensor, "batch *classes"]]:
        """What each way to read its examples predicts: one, or of pairs read as both two."""
        read = self.inputs[task]
        found = [] if read == "joint" else [self._of_separate(task, embeddings[:2])]
        if read != "separate":
            outputs = self._through_head(task, "joint", embeddings[-1])
            # As a cosine does, it then lies within bounds whatever the loss; those of cross-encoders in
            # Sentence-Transformers are the same.
            found.append(outputs if self._task(task).has_head else outputs.sigmoid())
        return found

    def predict(
        self, task: str, embeddings: Sequence[Float32[Tensor, "batch hidden"]]
    ) -> Float32[Tensor, "batch *classes"]:
        """What `forward` predicts, from the embeddings."""
        found = self.predictions(task, embeddings)
        return found[0] if len(found) == 1 else average(self._task(task), found)

    def _of_separate(
        self, task: str, embeddings: Sequence[Float32[Tensor, "batch hidden"]]
    ) -> Float32[Tensor, "batch *classes"]:
        about = self._task(task)
        if not about.has_head:
            first, second = embeddings
            return functional.cosine_similarity(first, second, dim=-1)
        parts = pair_features(self.features, *embeddings) if about.pair else list(embeddings)
        return self._through_head(task, "separate", torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0])

    def _through_head(
        self, task: str, read: str, inputs: Float32[Tensor, "batch inputs"]
    ) -> Float32[Tensor, "batch *classes"]:
        outputs: Tensor = self.heads[_key(task, read)](inputs)
        return outputs.squeeze(-1) if self._task(task).outputs == 1 else outputs

    def encoder_parameters(self, task: str) -> list[nn.Parameter]:
        """The parameters of the task's encoder that train, in a fixed order; with LoRA its A and B only."""
        return [parameter for parameter in self.encoder(task).parameters() if parameter.requires_grad]

    def heads_of(self, task: str) -> dict[str, nn.Module]:
        """The heads of a task by what they read, "separate" sentences or a "joint" input; none where a cosine does."""
        keys = {read: _key(task, read) for read in ("separate", "joint")}
        return {read: self.heads[key] for read, key in keys.items() if key in self.heads}

    def head_parameters(self, task: str) -> list[nn.Parameter]:
        """The parameters of the task's heads, in a fixed order; none where a cosine predicts it."""
        return [parameter for head in self.heads_of(task).values() for parameter in head.parameters()]

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

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """A scope in which no weight changes, so that each is cast to bf16 once for all passes."""
        with ExitStack() as scopes:
            for each in self.packed.values():
                scopes.enter_context(each.unchanged())
            yield

    def shared_parameters(self) -> list[nn.Parameter]:
        """Encoder parameters that more than one task trains, the ones that gradient surgery is about."""
        return [] if self.separate or len(self.tasks) == 1 else self.encoder_parameters(self.tasks[0])


def halves(
    embeddings: Float32[Tensor, "sentences hidden"],
) -> tuple[Float32[Tensor, "batch hidden"], Float32[Tensor, "batch hidden"]]:
    """E1 and E2 of pairs, whose first sentences stand before the second ones.

    Raises:
        ValueError: the number of sentences is odd.
    """
    if len(embeddings) % 2:
        raise ValueError(f"Pairs need an even number of sentences, but there are {len(embeddings)}.")
    first, second = embeddings.chunk(2)
    return first, second


def pair_features(
    which: str, first: Float32[Tensor, "batch hidden"], second: Float32[Tensor, "batch hidden"]
) -> list[Float32[Tensor, "batch hidden"]]:
    """What a head reads of a pair, side by side.

    "concat" is [E1; E2] (4.1), "super" [E1; E2; E2 − E1] (4.2, point 3; decision 13), "difference" [E1; E2; |E1 − E2|]
    (Reimers and Gurevych 2019, "Sentence-BERT", section 3), "product" [E1; E2; |E1 − E2|; E1 · E2] (Conneau et al.
    2017, "InferSent", section 3.1). A linear map of the three parts of "super" is one of the two of "concat": it adds
    no function.
    """
    parts = [first, second]
    if which == "super":
        parts.append(second - first)
    elif which in ("difference", "product"):
        parts.append((first - second).abs())
    if which == "product":
        parts.append(first * second)
    return parts


def average(task: Task, outputs: Sequence[Float32[Tensor, "batch *classes"]]) -> Float32[Tensor, "batch *classes"]:
    """Outputs whose prediction is the mean of theirs: of the probabilities of classes, or of numbers."""
    stacked = torch.stack(list(outputs))
    if not task.classes:
        return stacked.mean(0)
    # log Σ p_k; what a softmax, or a sigmoid of the difference, does not see (− log K) is left out.
    if task.outputs > 1:
        return functional.log_softmax(stacked, -1).logsumexp(0)
    return functional.logsigmoid(stacked).logsumexp(0) - functional.logsigmoid(-stacked).logsumexp(0)


def _key(task: str, read: str = "separate") -> str:
    """A task's name in a ModuleDict, which refuses those of its own attributes: "type", "float".

    The head of joint inputs has a name that no task has.
    """
    if read == "joint":
        return f"joint-{task}"
    return f"task-{task}" if hasattr(_EMPTY, task) else task


def _encoders(
    recipe: Recipe, load: Callable[[], PreTrainedModel], names: tuple[str, ...]
) -> dict[str, PreTrainedModel]:
    if not recipe.lora.rank:
        return {name: load() for name in names}
    base = load()
    copies = {name: share_weights(base) for name in names}
    return {name: add_adapters(encoder, recipe.lora, recipe.seed) for name, encoder in copies.items()}
