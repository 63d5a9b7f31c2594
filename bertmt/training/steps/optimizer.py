"""AdamW with two learning rates, how they rise and fall, and the longest gradient that it applies."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn

from bertmt.models.multitask import MultitaskModel
from bertmt.recipe.recipe import Recipe
from bertmt.training.steps.row_adamw import RowAdamW

ROWS = "rows"  # in front of what a table of word embeddings has, in a checkpoint


class Optimizer:
    """AdamW: PyTorch's, and row by row that of word embeddings.

    Args:
        groups: for PyTorch's.
        tables: the word embeddings that train.
    """

    def __init__(self, groups: list[dict[str, Any]], tables: Sequence[RowAdamW]):
        # On a CPU fused AdamW took 10 ms for 22.6 M weights, foreach 40 to 70 ms.
        self._dense = torch.optim.AdamW(groups, fused=True)
        self._tables = list(tables)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Parameters with their settings, as PyTorch's optimizers have them."""
        return [*self._dense.param_groups, *(each.group for each in self._tables)]

    def refresh(self, table: nn.Parameter, rows: Int64[Tensor, "rows"]) -> None:
        """Bring rows of a table of word embeddings up to date, before they are read."""
        for each in self._tables:
            if each.table is table:
                each.refresh(rows)

    def gradients(self) -> list[Tensor]:
        """All that there are; of a table those of its rows."""
        parameters = (parameter for group in self.param_groups for parameter in group["params"])
        found = (parameter.grad for parameter in parameters if parameter.grad is not None)
        return [each.values() if each.is_sparse else each for each in found]

    def clip(self, norm: Float32[Tensor, ""], most: float) -> None:
        """Shorten all gradients together to a norm of at most `most`; `norm` is what they have.

        Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks",
        algorithm 1.
        """
        found = self.gradients()
        if found:
            torch._foreach_mul_(found, (most / norm).clamp(max=1.0))

    def step(self) -> None:
        """Apply the gradients, and drop them."""
        self._dense.step()
        for each in self._tables:
            each.step()
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @contextmanager
    def current(self) -> Iterator[None]:
        """A scope in which all weights are up to date, to evaluate or keep them."""
        with ExitStack() as scopes:
            for each in self._tables:
                scopes.enter_context(each.current())
            yield

    def finish(self) -> None:
        """Bring all weights up to date for good, after the last step."""
        for each in self._tables:
            each.finish()

    def tensors(self) -> dict[str, Tensor]:
        """The moments, by names that a checkpoint stores."""
        found = {
            f"{index}/{name}": value
            for index, moments in self._dense.state_dict()["state"].items()
            for name, value in moments.items()
        }
        for index, table in enumerate(self._tables):
            found |= {f"{ROWS}{index}/{name}": value for name, value in table.tensors().items()}
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `tensors` gave.

        Raises:
            KeyError, RuntimeError, ValueError: it belongs to another model.
        """
        by_owner: dict[str, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            owner, _, moment = name.partition("/")
            by_owner.setdefault(owner, {})[moment] = value
        for index, table in enumerate(self._tables):
            table.restore(by_owner.pop(f"{ROWS}{index}"))
        state = {int(owner): moments for owner, moments in by_owner.items()}
        # The groups' own settings come from the recipe, and the learning rate from the step.
        self._dense.load_state_dict({"state": state, "param_groups": self._dense.state_dict()["param_groups"]})


def build_optimizer(model: MultitaskModel, tasks: Iterable[str], recipe: Recipe) -> Optimizer:
    """AdamW over all that trains for these tasks; while hidden words are guessed, with that head in place of theirs.

    Biases and layer norms, which are the vectors among the parameters, get no weight decay (decision 11); heads
    have a learning rate of their own (decision 24).

    Args:
        recipe: resolved.
    """
    assert recipe.learning_rate is not None  # of a resolved recipe
    tasks = tuple(tasks)
    tables = _distinct(table for task in tasks if (table := model.packed[model.encoder_name(task)].words) is not None)
    by_row = {id(each) for each in tables}
    encoder = [
        parameter
        for parameter in _distinct(parameter for task in tasks for parameter in model.encoder_parameters(task))
        if id(parameter) not in by_row
    ]
    heads = list(model.guessing.parameters()) or _distinct(
        parameter for task in tasks for parameter in model.head_parameters(task)
    )
    groups = []
    for parameters, rate in ((encoder, recipe.learning_rate), (heads, recipe.head_learning_rate)):
        matrices = [parameter for parameter in parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
        for part, decay in ((matrices, recipe.weight_decay), (vectors, 0.0)):
            if part:
                groups.append({"params": part, "lr": rate, "full_lr": rate, "weight_decay": decay})
    return Optimizer(groups, [RowAdamW(table, recipe.learning_rate, recipe.weight_decay) for table in tables])


def set_learning_rate(optimizer: Optimizer, recipe: Recipe, step: int, steps: int) -> float:
    """Set the learning rates for a step, and return the encoder's.

    Args:
        step, steps: counted from 0, and all of them, of training or of one pretraining phase: each has an optimizer.
    """
    factor = learning_rate_factor(recipe, step, steps)
    for group in optimizer.param_groups:
        group["lr"] = group["full_lr"] * factor
    return float(optimizer.param_groups[0]["lr"])


def learning_rate_factor(recipe: Recipe, step: int, steps: int) -> float:
    """By what the full learning rate is multiplied in a step.

    It rises linearly over the warm-up, is 1 in its last step and the one after, and then stays, or falls to what would
    be 0 one step behind the last: along a line (Devlin et al. 2019, "BERT", A.2), or half a cosine (Loshchilov and
    Hutter 2017, "SGDR", equation 5, without restarts). The paper has neither. Unlike transformers' schedules no step
    has the rate 0, the first one of a warm-up included: it would train nothing.
    """
    rising = recipe.warmup_steps or round(recipe.warmup * steps)
    if step < rising:
        return (step + 1) / rising
    passed = (step - rising) / (steps - rising)
    if recipe.learning_rate_schedule == "linear":
        return 1 - passed
    return (1 + math.cos(math.pi * passed)) / 2 if recipe.learning_rate_schedule == "cosine" else 1.0


def _distinct(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return list({id(parameter): parameter for parameter in parameters}.values())
