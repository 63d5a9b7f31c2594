"""Functions and classes of a user's own, from the sources that a run keeps.

Only what a person submitted here is ever loaded: services see to it that the run is no imported one, and here the
source must have the digest that the recipe has.
"""

import inspect
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float32, Real
from torch import Tensor, nn

from bertmt.bounded_files import read_bytes
from bertmt.errors import BertmtError, reason_of
from bertmt.recipe.own_code import MOST_SOURCE, OwnCode, OwnLoss, digest_of, own_heads, own_losses
from bertmt.recipe.recipe import Recipe
from bertmt.tasks.task import Task

HeadFactory = Callable[[int, int], nn.Module]
# What a loss may ask for, by the names of its parameters.
OFFERED = ("predictions", "labels", "embeddings", "task", "weight")


class OwnCodeError(BertmtError):
    """A user's own code is missing, cannot be loaded, failed, or returned what it must not."""


def load(folder: Path, code: OwnCode) -> Callable[..., Any]:
    """A function or class from its source, `<digest>.py` in a folder.

    Raises:
        OwnCodeError: a sentence that names the file, and the line where there is one.
    """
    try:
        source = read_bytes(folder / f"{code.digest}.py", MOST_SOURCE)
    except OSError as problem:
        raise OwnCodeError(f"{code.file} cannot be read from {folder}: {reason_of(problem)}.") from None
    if digest_of(source) != code.digest:
        raise OwnCodeError(f"The copy of {code.file} in {folder} is not the one that the run was submitted with.")
    names: dict[str, Any] = {"__name__": f"own_code_{code.digest}", "__file__": code.file}
    try:
        exec(compile(source, code.file, "exec"), names)
    except BaseException as fault:  # SystemExit too: an import must not end the child in silence
        raise OwnCodeError(f"{code.file} cannot be loaded: {_told(fault, code.file)}.") from fault
    found = names.get(code.name)
    if not callable(found):
        raise OwnCodeError(f"{code.file} defines no function or class {code.name}.")
    return found  # type: ignore[no-any-return]


class LoadedLoss:
    """A loss that can be called; see `OwnLoss`."""

    def __init__(self, loss: OwnLoss, function: Callable[..., Any]):
        self.about = loss
        self._function = function
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            parameters = ()  # type: ignore[assignment]
        takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
        named = [each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
        unknown = [name for name in named if name not in OFFERED]
        if unknown or not (named or takes_all):
            raise OwnCodeError(
                f"{loss.code.name} in {loss.code.file} must take some of {', '.join(OFFERED)}, "
                f"but takes {', '.join(unknown) or 'nothing'}."
            )
        self._names = OFFERED if takes_all else tuple(named)

    def __call__(
        self,
        task: Task,
        predictions: Float32[Tensor, "batch *classes"],
        labels: Real[Tensor, "batch"],
        embeddings: Sequence[Float32[Tensor, "batch hidden"]],
    ) -> Tensor:
        """The weighted loss of a batch.

        Args:
            embeddings: of the sentences; of pairs the first ones', then the second ones'.

        Raises:
            OwnCodeError: it failed, or returned no single number that a gradient flows from.
        """
        offered = {
            "predictions": predictions,
            "labels": labels,
            "embeddings": embeddings[0] if len(embeddings) == 1 else tuple(embeddings),
            "task": task,
            "weight": self.about.weight,
        }
        code = self.about.code
        try:
            loss = self._function(**{name: offered[name] for name in self._names})
        except (Exception, SystemExit) as fault:
            raise OwnCodeError(f"{code.name} of {code.file} failed: {_told(fault, code.file)}.") from fault
        if not isinstance(loss, Tensor) or loss.shape != () or not loss.is_floating_point():
            shape = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise OwnCodeError(f"{code.name} of {code.file} must return a single number as a tensor, but gave {shape}.")
        return self.about.weight * loss.float()


class OwnLosses:
    """All losses of a recipe, by the tasks that they are added to."""

    def __init__(self, recipe: Recipe, folder: Path):
        self._loaded = [LoadedLoss(loss, load(folder, loss.code)) for loss in own_losses(recipe)]

    def of(self, task: str) -> list[LoadedLoss]:
        """Those of a task, in the recipe's order."""
        return [each for each in self._loaded if each.about.task in ("", task)]


def refuse_others(recipe: Recipe, allowed: Collection[str]) -> None:
    """Return if the sources of all heads of a user's own are among those that may be run, by digest.

    Raises:
        OwnCodeError: one is not.
    """
    for task, code in own_heads(recipe).items():
        if code.digest not in allowed:
            raise OwnCodeError(
                f"The head of {task}, {code.file}, is not what the run was submitted with here, and code of others is "
                "not run; queue it again with a file of yours."
            )


def load_heads(recipe: Recipe, folder: Path) -> dict[str, HeadFactory]:
    """What makes the heads of the tasks that have one of the user's own.

    Raises:
        OwnCodeError: one cannot be loaded.
    """
    return {task: _checked_factory(code, load(folder, code)) for task, code in own_heads(recipe).items()}


def _checked_factory(code: OwnCode, factory: Callable[..., Any]) -> HeadFactory:
    def make(inputs: int, outputs: int) -> nn.Module:
        try:
            head = factory(inputs, outputs)
        except (Exception, SystemExit) as fault:
            raise OwnCodeError(f"{code.name} of {code.file} failed: {_told(fault, code.file)}.") from fault
        if not isinstance(head, nn.Module):
            raise OwnCodeError(f"{code.name} of {code.file} must give a torch.nn.Module, not {type(head).__name__}.")
        with torch.no_grad():
            try:
                shape = tuple(head(torch.zeros(2, inputs)).shape)
            except (Exception, SystemExit) as fault:
                raise OwnCodeError(f"The head {code.name} of {code.file} failed: {_told(fault, code.file)}.") from fault
        if shape != (2, outputs):
            raise OwnCodeError(
                f"The head {code.name} of {code.file} must turn (batch, {inputs}) into (batch, {outputs}), "
                f"but gave {shape} for a batch of 2."
            )
        return head

    return make


def _told(fault: BaseException, file: str) -> str:
    """A fault in a user's file as the end of a sentence, with the line of that file."""
    lines = [each.lineno for each in traceback.extract_tb(fault.__traceback__) if each.filename == file]
    line = fault.lineno if isinstance(fault, SyntaxError) else lines[-1] if lines else None
    text = " ".join((fault.msg if isinstance(fault, SyntaxError) else str(fault)).split())[:300]
    where = f" (line {line})" if line else ""
    return f"{type(fault).__name__}{': ' if text else ''}{text.rstrip('.')}{where}"
