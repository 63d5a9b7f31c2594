"""A user's own losses and heads: how a recipe names them.

A recipe says `mine.py:my_loss`, a loss's task and weight behind it (`mine.py:my_loss sst 0.5`). At submit the first 16
hex digits of the file's SHA-256 are put behind that (`#…`), so that the source is part of what the recipe is; the
source itself is kept in the registry and in the run folder, and loaded from there, see `own_code/loading.py`.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bertmt.recipe.groups import Head
from bertmt.recipe.quoting import shown
from bertmt.recipe.recipe import Recipe

_CODE = re.compile(r"(?P<file>[^\s:#,]+\.py):(?P<name>[A-Za-z_]\w*)", re.ASCII)
_DIGEST = re.compile(r"#([0-9a-f]{16})")
MOST_SOURCE = 1 << 20  # bytes of a file
EXAMPLE = "mine.py:my_loss, or mine.py:my_loss TASK 0.5 with a task and a weight"


class OwnCode(NamedTuple):
    """A function or class of a user's file; `digest` is of its source, "" before submit."""

    file: str
    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.file}:{self.name}" + (f" #{self.digest}" if self.digest else "")


class OwnLoss(NamedTuple):
    """A loss that is added to that of a task, or of every task where it names none."""

    code: OwnCode
    task: str
    weight: float

    def __str__(self) -> str:
        words = [
            f"{self.code.file}:{self.code.name}",
            self.task,
            "" if self.weight == 1 else repr(self.weight).removesuffix(".0"),
        ]
        return " ".join(each for each in (*words, self.code.digest and f"#{self.code.digest}") if each)


def digest_of(source: bytes) -> str:
    """What a recipe holds of a file."""
    return hashlib.sha256(source).hexdigest()[:16]


def parse_loss(text: str) -> OwnLoss:
    """One entry of `losses`.

    Raises:
        ValueError: a sentence.
    """
    words = text.split()
    digest = words.pop()[1:] if words and _DIGEST.fullmatch(words[-1]) else ""
    found = _CODE.fullmatch(words[0]) if words else None
    weight = 1.0
    if found and len(words) > 1:
        try:
            weight = float(words[-1])
            words.pop()
        except ValueError:
            pass
    if not found or len(words) > 2 or not abs(weight) < 1e6:
        raise ValueError(f"`losses` must name functions such as {EXAMPLE}, but has {shown(text)}.")
    return OwnLoss(OwnCode(found["file"], found["name"], digest), words[1] if len(words) > 1 else "", weight)


def parse_head(text: str) -> OwnCode:
    """What `head.<task>.module` names.

    Raises:
        ValueError: a sentence.
    """
    words = text.split()
    digest = words.pop()[1:] if words and _DIGEST.fullmatch(words[-1]) else ""
    found = _CODE.fullmatch(words[0]) if len(words) == 1 else None
    if not found:
        raise ValueError(
            f"`module` of a head must name a function or class such as mine.py:MyHead, but is {shown(text)}."
        )
    return OwnCode(found["file"], found["name"], digest)


def own_losses(recipe: Recipe) -> tuple[OwnLoss, ...]:
    """The losses of a valid recipe."""
    return tuple(parse_loss(text) for text in recipe.losses)


def own_heads(recipe: Recipe) -> dict[str, OwnCode]:
    """The heads of a valid recipe by the task that they are of."""
    return {name: parse_head(head.module) for name, head in recipe.head.items() if head.module and name in recipe.tasks}


def own_code(recipe: Recipe) -> tuple[OwnCode, ...]:
    """Everything of a user's own that a valid recipe names."""
    return (*(loss.code for loss in own_losses(recipe)), *own_heads(recipe).values())


def without_digest(recipe: Recipe) -> dict[str, OwnCode]:
    """What no digest is known of yet, the first of each setting; heads of tasks that are not trained too."""
    found = {"losses": [loss.code for loss in own_losses(recipe)]}
    found |= {f"head.{task}.module": [parse_head(head.module)] for task, head in recipe.head.items() if head.module}
    unmarked = ((name, next((code for code in codes if not code.digest), None)) for name, codes in found.items())
    return {name: code for name, code in unmarked if code}


def with_digests(recipe: Recipe, digests: Mapping[str, str]) -> Recipe:
    """The recipe with the digests of its files put in, where it has none yet."""
    mark: Callable[[OwnCode], OwnCode]
    mark = lambda code: code if code.digest else code._replace(digest=digests[code.file])  # noqa: E731
    losses = tuple(str(loss._replace(code=mark(loss.code))) for loss in own_losses(recipe))
    heads = dict(recipe.head)
    for task, code in own_heads(recipe).items():
        heads[task] = dataclasses.replace(heads.get(task, Head()), module=str(mark(code)))
    return dataclasses.replace(recipe, losses=losses, head=heads)


def problems(recipe: Recipe) -> list[str]:
    """What of it cannot be read, a sentence each."""
    found = []
    for text in recipe.losses:
        try:
            task = parse_loss(text).task
            if task and task not in recipe.tasks:
                found.append(f"`losses` names the task {task}, but `tasks` is {','.join(recipe.tasks)}.")
        except ValueError as problem:
            found.append(str(problem))
    for head in recipe.head.values():
        try:
            if head.module:
                parse_head(head.module)
        except ValueError as problem:
            found.append(str(problem))
    return found
