"""Steps of the packed path against the same steps as a textbook has them.

The textbook's: a forward and a backward pass per task, of padded batches, through transformers' own encoder; gradient
surgery on whole gradients; PyTorch's AdamW over every weight, word embeddings included.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from padded_encoders import padded, random_sentences, tiny_encoder
from torch import Tensor, nn
from torch.nn import functional

from bertmt.models.lora import add_adapters
from bertmt.models.multitask import MultitaskModel
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.training.seeding import surgery_generator
from bertmt.training.steps.batches import Batch, BatchStream, separate
from bertmt.training.steps.optimizer import Optimizer, build_optimizer, set_learning_rate
from bertmt.training.steps.step import Stepper

TOGETHER = ("sst", "para", "sts")
SENTENCES = {"sst": 5, "para": 8, "sts": 8, "mnr": 6, "cosine_embedding": 12}
# Of pairs with `pearson` the third and fourth batch of STS has no variance, so its loss is undefined.
WITHOUT_VARIANCE = (2, 3)

RECIPES: dict[str, tuple[dict[str, Any], list[Sequence[str]]]] = {
    "surgery": ({}, [TOGETHER] * 5),
    "without surgery": ({"surgery": False}, [TOGETHER] * 5),
    "lora": ({"lora.rank": 3}, [TOGETHER] * 5),
    "ensembled": ({"ensembling": True}, [TOGETHER] * 5),
    "ensembled lora": ({"ensembling": True, "lora.rank": 3}, [TOGETHER] * 5),
    "pearson": ({"pearson": True}, [TOGETHER] * 5),
    "pearson of the first task": ({"pearson": True}, [("sts", "sst", "para")] * 5),
    "pearson without surgery": ({"pearson": True, "surgery": False}, [TOGETHER] * 5),
    "pearson ensembled": ({"pearson": True, "ensembling": True}, [TOGETHER] * 5),
    "pearson of sts alone": ({"pearson": True, "tasks": "sts"}, [("sts",)] * 5),
    "tasks in turn": ({}, [("sst",), ("para",), ("sts",), ("sst", "sts"), TOGETHER, ("sst",)]),
    "ensembled in turn": ({"ensembling": True}, [("sst",), ("para",), ("sts",), ("sst",), ("para", "sts"), ("sst",)]),
    "super concat": ({"super_concat": True, "weight_decay": 0.1}, [TOGETHER] * 5),
    "absolute difference": ({"pair_features": "difference"}, [TOGETHER] * 5),
    "product": ({"pair_features": "product", "ensembling": True}, [TOGETHER] * 5),
    "first tokens": ({"pooling": "cls"}, [TOGETHER] * 5),
    "maxima": ({"pooling": "max"}, [TOGETHER] * 5),
    "mnr of maxima": ({"pooling": "max", "mnr": True}, [("mnr",)] * 5),
    "cosine embedding beside maxima": ({"pooling": "max", "cosine_embedding": True}, [("cosine_embedding",)] * 5),
    "cosent": ({"number_loss": "cosent"}, [TOGETHER] * 5),
    "scaled cosine": ({"number_loss": "scaled_cosine"}, [TOGETHER] * 5),
    "joint": ({"pair_input": "joint"}, [TOGETHER] * 5),
    "joint ensembled lora": ({"pair_input": "joint", "ensembling": True, "lora.rank": 3}, [TOGETHER] * 5),
    "both": ({"pair_input": "both", "pair_features": "difference"}, [TOGETHER] * 5),
    "both pearson": ({"pair_input": "both", "pearson": True}, [TOGETHER] * 5),
    "mnr before joint": ({"pair_input": "joint", "mnr": True}, [("mnr",)] * 5),
    "r-drop": ({"r_drop": 2.0, "head.sst.layers": 2, "head.para.layers": 2}, [TOGETHER] * 5),
    "r-drop joint": ({"r_drop": 2.0, "pair_input": "joint", "head.sts.layers": 2}, [TOGETHER] * 5),
    "r-drop pearson": ({"r_drop": 1.0, "pearson": True}, [TOGETHER] * 5),
    "linear": ({"learning_rate_schedule": "linear"}, [TOGETHER] * 5),
    "cosine": ({"learning_rate_schedule": "cosine", "warmup": 0.4, "warmup_steps": 0}, [TOGETHER] * 5),
    "clipped": ({"gradient_clip": 0.5}, [TOGETHER] * 5),
    "clipped ensembled lora": ({"gradient_clip": 0.5, "ensembling": True, "lora.rank": 3}, [TOGETHER] * 5),
    "mnr": ({"mnr": True}, [("mnr",)] * 5),
    "cosine embedding": ({"cosine_embedding": True}, [("cosine_embedding",)] * 5),
    "cosine embedding ensembled": ({"cosine_embedding": True, "ensembling": True}, [("cosine_embedding",)] * 5),
}  # fmt: skip


class ListedBatches(BatchStream):
    """Batches that a test made up."""

    def __init__(self, batches: Sequence[Batch]):
        self._left = list(batches)

    def next(self) -> Batch:
        return self._left.pop(0)


def made_up(name: str, number: int, pearson: bool) -> tuple[list[list[int]], Tensor]:
    """Sentences and labels of the n-th batch of a task or phase."""
    draw = np.random.default_rng([number, len(name), SENTENCES[name]])
    sentences = random_sentences(draw.integers(2, 12, SENTENCES[name]).tolist(), seed=int(draw.integers(1000)))
    if name == "sst":
        return sentences, torch.from_numpy(draw.integers(0, 5, SENTENCES[name]).astype(np.float32))
    pairs = SENTENCES[name] // 2
    if name == "para":
        return sentences, torch.from_numpy(draw.integers(0, 2, pairs).astype(np.float32))
    labels = torch.from_numpy(draw.uniform(0, 5, pairs).astype(np.float32))
    return sentences, torch.full_like(labels, 2) if pearson and number in WITHOUT_VARIANCE else labels


class Textbook:
    """The same model and the same steps, written out."""

    def __init__(self, recipe: Recipe, model: MultitaskModel, trained: Sequence[str]):
        self.recipe = recipe
        self.heads = copy.deepcopy(model.heads)
        self.encoders = {name: tiny_encoder("bert") for name in model.encoders}
        if recipe.lora.rank:
            for each in self.encoders.values():
                add_adapters(each, recipe.lora, recipe.seed)
        self.order = surgery_generator(recipe.seed)
        names = {model.encoder_name(task) for task in trained}
        encoder = [each for name in names for each in self.encoders[name].parameters() if each.requires_grad]
        heads = [each for task in trained for key in (task, f"joint-{task}") if key in self.heads
                 for each in self.heads[key].parameters()]  # fmt: skip
        groups: list[dict[str, Any]] = []
        for parameters, rate in ((encoder, recipe.learning_rate), (heads, recipe.head_learning_rate)):
            for parameter in parameters:
                decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
                groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
        self.rates = [float(group["lr"]) for group in groups]
        self.optimizer = torch.optim.AdamW(groups, foreach=False)
        self.separate = model.separate

    def encoder(self, task: str) -> Any:
        return self.encoders[task if self.separate else "shared"]

    def embeddings(
        self, task: str, sentences: Sequence[Sequence[int]], pooling: str, types: Sequence[Sequence[int]] | None = None
    ) -> Tensor:
        ids, mask = padded(sentences, 0)
        token_types = torch.zeros_like(ids) if types is None else padded(types, 0)[0]
        encoder = self.encoder(task)
        hidden: Tensor = encoder(input_ids=ids, attention_mask=mask, token_type_ids=token_types).last_hidden_state
        if pooling == "cls":
            return hidden[:, 0]
        if pooling == "max":
            return torch.stack(
                [each[:length].amax(0) for each, length in zip(hidden, mask.sum(1).tolist(), strict=True)]
            )
        return (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)

    def loss(self, name: str, sentences: Sequence[Sequence[int]], y: Tensor) -> Tensor | None:
        if name not in TOGETHER:
            return self.pretraining_loss(name, sentences, y)
        once = self.outputs(name, sentences)
        found = [self.loss_of(name, each, y) for each in once]
        if self.recipe.r_drop:
            again = self.outputs(name, sentences)
            found += [self.loss_of(name, each, y) for each in again]
        losses = [each for each in found if each is not None]
        if not losses:
            return None
        loss = torch.stack(losses).mean()
        if self.recipe.r_drop:
            apart = [disagreement(name, one, other) for one, other in zip(once, again, strict=True)]
            loss = loss + self.recipe.r_drop / 2 * torch.stack(apart).mean()
        return loss

    def outputs(self, name: str, sentences: Sequence[Sequence[int]]) -> list[Tensor]:
        """Logits or numbers, of each way to read pairs."""
        if name == "sst":
            return [self.heads["sst"](self.embeddings(name, sentences, self.recipe.pooling))]
        found = []
        if self.recipe.pair_input != "joint":
            found.append(self.outputs_of_two(name, *self.embeddings(name, sentences, self.recipe.pooling).chunk(2)))
        if self.recipe.pair_input != "separate":
            half = len(sentences) // 2
            pairs = list(zip(sentences[:half], sentences[half:], strict=True))
            types = [[0] * len(one) + [1] * (len(other) - 1) for one, other in pairs]
            joined = [[*one, *other[1:]] for one, other in pairs]
            outputs = self.heads[f"joint-{name}"](self.embeddings(name, joined, self.recipe.pooling, types)).squeeze(1)
            found.append(outputs if name == "para" else outputs.sigmoid())
        return found

    def outputs_of_two(self, name: str, first: Tensor, second: Tensor) -> Tensor:
        if name == "para":
            parts = [first, second, second - first] if self.recipe.super_concat else [first, second]
            if self.recipe.pair_features in ("difference", "product"):
                parts.append((first - second).abs())
            if self.recipe.pair_features == "product":
                parts.append(first * second)
            logits: Tensor = self.heads["para"](torch.cat(parts, 1)).squeeze(1)
            return logits
        return functional.cosine_similarity(first, second)

    def pretraining_loss(self, name: str, sentences: Sequence[Sequence[int]], y: Tensor) -> Tensor:
        pooling = "cls" if name == "cosine_embedding" else self.recipe.pooling
        first, second = self.embeddings("sts", sentences, pooling).chunk(2)
        cosines = functional.cosine_similarity(first, second)
        if name == "mnr":
            table = functional.cosine_similarity(first[:, None], second[None], dim=2)
            return functional.cross_entropy(self.recipe.mnr_scale * table, torch.arange(len(first)))
        near, far = y >= 3.5, y < 1.0
        each = torch.where(near, 1 - cosines, torch.where(far, cosines.clamp(min=0), 0.0))
        mean: Tensor = each.sum() / (near | far).sum().clamp(min=1)
        return mean

    def loss_of(self, name: str, outputs: Tensor, y: Tensor) -> Tensor | None:
        if name == "sst":
            return functional.cross_entropy(outputs, y.long())
        if name == "para":
            return functional.binary_cross_entropy_with_logits(outputs, y)
        cosines = outputs
        if self.recipe.number_loss == "cosent":
            wrong = [20 * (cosines[j] - cosines[i]) for i in range(len(y)) for j in range(len(y)) if y[i] > y[j]]
            return torch.stack(wrong).exp().sum().log1p()
        if self.recipe.number_loss == "scaled_cosine":
            return ((1 + cosines) / 2 - y / 5).square().mean()
        if not self.recipe.pearson:
            return (cosines - y / 5).square().mean()
        return None if y.min() == y.max() else -torch.corrcoef(torch.stack([cosines, y]))[0, 1]

    def factor(self, number: int, steps: int) -> float:
        rising = self.recipe.warmup_steps or int(self.recipe.warmup * steps)
        if number < rising:
            return (number + 1) / rising
        left = (steps - number) / (steps - rising)
        return {"constant": 1.0, "linear": left, "cosine": math.sin(math.pi / 2 * left) ** 2}[
            self.recipe.learning_rate_schedule
        ]

    def step(self, number: int, steps: int, batches: Mapping[str, tuple[list[list[int]], Tensor]]) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * self.factor(number, steps)
        losses = [loss for name, batch in batches.items() if (loss := self.loss(name, *batch)) is not None]
        self.optimizer.zero_grad()
        if self.recipe.surgery and not self.separate and len(losses) > 1:
            self.backward_with_surgery(losses)
        else:
            for loss in losses:
                loss.backward()
        if self.recipe.gradient_clip:
            everything = [each for group in self.optimizer.param_groups for each in group["params"]]
            torch.nn.utils.clip_grad_norm_(everything, self.recipe.gradient_clip)
        self.optimizer.step()

    def backward_with_surgery(self, losses: Sequence[Tensor]) -> None:
        """Yu et al. 2020, algorithm 1, on one long vector per task."""
        shared = [each for each in self.encoders["shared"].parameters() if each.requires_grad]
        came = []
        for loss in losses:
            for each in shared:
                each.grad = None
            loss.backward()  # the heads' gradients add up: no head has two tasks
            came.append(torch.cat([present_gradient(each).flatten() for each in shared]))
        projected = [each.clone() for each in came]
        for i in range(len(came)):
            for j in torch.randperm(len(came), generator=self.order).tolist():
                along = torch.dot(projected[i].double(), came[j].double())
                if i != j and along < 0:
                    projected[i] -= (along / came[j].double().square().sum()).float() * came[j]
        total = torch.stack(projected).sum(0)
        for each, part in zip(shared, total.split([each.numel() for each in shared]), strict=True):
            each.grad = part.view(each.shape)

    def weights(self) -> dict[str, Tensor]:
        encoders = {
            f"encoders.{name}.{parameter}": value
            for name, each in self.encoders.items()
            for parameter, value in each.named_parameters()
        }
        return encoders | {f"heads.{name}": value for name, value in self.heads.named_parameters()}


def disagreement(name: str, one: Tensor, other: Tensor) -> Tensor:
    """Liang et al. 2021, equation 2, with PyTorch's own divergences."""
    if name == "sts":
        return functional.mse_loss(one, other)
    logs = [each.log_softmax(1) if name == "sst" else two_classes(each) for each in (one, other)]
    kl = [functional.kl_div(p, q, reduction="batchmean", log_target=True) for p, q in (logs, logs[::-1])]
    return (kl[0] + kl[1]) / 2


def two_classes(logits: Tensor) -> Tensor:
    return torch.stack([functional.logsigmoid(logits), functional.logsigmoid(-logits)], 1)


def present_gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def both_after(settings: Mapping[str, Any], steps: Sequence[Sequence[str]]) -> tuple[Any, Any, dict[str, Tensor], int]:
    """Weights of both after the steps, those before, and how many conflicts there were."""
    torch.set_num_threads(1)
    given = {"encoder": "tiny", "data": "toy", "learning_rate": 1e-4, "head_learning_rate": 1e-3, "warmup_steps": 3}
    recipe = resolved(recipe_from({**given, "seed": 3, **settings}))
    model = MultitaskModel(recipe, lambda: tiny_encoder("bert")).train()
    trained = recipe.tasks if steps[0][0] in recipe.tasks else ["sts"]
    textbook = Textbook(recipe, model, trained)
    before = {name: value.detach().clone() for name, value in model.named_parameters(remove_duplicate=False)}
    batches = [{name: made_up(name, number, recipe.pearson) for name in names} for number, names in enumerate(steps)]
    streams: dict[str, list[Batch]] = {}
    for each in batches:
        for name, (sentences, labels) in each.items():
            half = len(sentences) // (1 if name == "sst" else 2)
            arranged = partial(model.tokens, name) if name in TOGETHER else separate
            tokens = arranged(sentences[:half], sentences[half:] or None)
            streams.setdefault(name, []).append(Batch(np.arange(len(labels)), tokens, labels))
    stepper = Stepper(model, recipe, {name: ListedBatches(each) for name, each in streams.items()})
    optimizer: Optimizer = build_optimizer(model, trained, recipe)
    conflicts = 0
    for number, (names, each) in enumerate(zip(steps, batches, strict=True)):
        set_learning_rate(optimizer, recipe, number, len(steps))
        torch.manual_seed(number)  # of the heads' dropouts
        result = stepper.take(names, optimizer)
        conflicts += result.surgery.projections if result.surgery else 0
        torch.manual_seed(number)
        textbook.step(number, len(steps), each)
    assert stepper.surgery_order.get_state().equal(textbook.order.get_state()), "as many orders were drawn"
    with optimizer.current():
        found = {name: value.detach().clone() for name, value in model.named_parameters(remove_duplicate=False)}
    return found, {name: each.detach() for name, each in textbook.weights().items()}, before, conflicts


@pytest.mark.parametrize("name", RECIPES)
def test_weights_after_some_steps_are_the_textbooks(name: str) -> None:
    settings, steps = RECIPES[name]
    found, expected, before, conflicts = both_after(settings, steps)
    assert found.keys() == expected.keys() == before.keys()
    if name == "surgery":
        assert conflicts > 0
    moved = 0
    for parameter, value in expected.items():
        if parameter.endswith("key.bias"):  # a gradient of rounding alone, of which AdamW makes whole steps
            continue
        movement = (value - before[parameter]).norm()
        moved += bool(movement > 0)
        off = (found[parameter] - value).norm()
        assert off <= 1e-3 * movement, f"{parameter}: {off:.2e} of {movement:.2e}"
        # A gradient of almost nothing may be off by a percent, and a step of AdamW (1e-4) with it.
        torch.testing.assert_close(found[parameter], value, atol=3e-6, rtol=0, msg=parameter)
    assert moved > 10
