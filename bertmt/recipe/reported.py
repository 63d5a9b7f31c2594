"""The figures that the paper reports and the claims that it makes, for whoever sets our runs beside them.

They are read from `reported.toml`; `docs/paper.md` has the same rows with the decisions that they rest on.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from bertmt.recipe.loading import parse_assignments, preset
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from
from bertmt.tasks.builtin import BUILTIN


@dataclass(frozen=True)
class ReportedScores:
    """One model's scores as printed in the paper.

    Attributes:
        figure: where they stand, as in the preset ("2-4").
        split: "dev", or "test" for the final model; beside our dev scores it must be named (decision 25).
        scores: task to score, None where the paper gives none; STS is Pearson's ρ (decision 3).
        note: what else the paper says of it, or an empty text.
    """

    preset: str
    figure: str
    split: Literal["dev", "test"]
    scores: Mapping[str, float | None]
    note: str


@dataclass(frozen=True)
class ConfusionRates:
    """Figure 9: PARA rates of the final model, by true class.

    Attributes:
        note: why they cannot be those of Figure 1 (decision 16).
    """

    true_positive: float
    false_negative: float
    true_negative: float
    false_positive: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the paper, and which presets are its models.

    Attributes:
        caption: as printed.
        shows: "scores" of models by task; "ranks": STS by LoRA's rank, without numbers in the text; "matrix" of
            confusions; "rates" by true class; "scatter": predictions against labels.
        tasks: whose scores it is about.
        models: presets; of one model that can be read in two ways, both.
        says: what the text reads off a picture whose numbers it does not give; else empty.
    """

    number: int
    caption: str
    shows: Literal["scores", "ranks", "matrix", "rates", "scatter"]
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    says: str = ""


@dataclass(frozen=True)
class Arm:
    """One side of a pair: a preset, and what is set on top of it.

    Attributes:
        settings: dotted names to text, as after `--set`; empty for the preset itself.
    """

    preset: str
    settings: Mapping[str, str]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from other arms."""
        return (self.preset, *(f"{name}={value}" for name, value in self.settings.items()))

    def command(self) -> str:
        """What follows `bertmt queue --preset` to queue it."""
        return " ".join([self.preset, *(f"--set {name}={value}" for name, value in self.settings.items())])

    def recipe(self) -> Recipe:
        """The recipe of this arm; its data still has to be named."""
        return recipe_from(self.settings, base=preset(self.preset).recipe())


@dataclass(frozen=True)
class Pair:
    """What is compared: the control, and the arm in which something was changed."""

    control: Arm
    changed: Arm


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim of the paper, and how to test it.

    Attributes:
        section: where the paper makes it.
        decisions: numbers in docs/paper.md that it rests on.
        says: what the paper says of the changed arm's score, seen from the control.
        tasks: whose scores it is about.
        paper: the pairs that the paper compares; their scores are `reported_scores` of the presets.
        own: our pairs, in each of which one toggle changes.
        confounded: what else differs in the paper's pair; empty where it is a one-toggle pair itself.
    """

    id: str
    sentence: str
    section: str
    decisions: tuple[int, ...]
    says: Literal["higher", "lower", "not higher"]
    tasks: tuple[str, ...]
    paper: tuple[Pair, ...]
    own: tuple[Pair, ...]
    confounded: str


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files("bertmt.recipe").joinpath("reported.toml").read_text(encoding="utf-8"))


def reported_scores(preset: str) -> ReportedScores | None:
    """The paper's scores for a preset; None for our controls and for unknown names."""
    row = _document()["models"].get(preset)
    if row is None:
        return None
    scores = {task: row.get(task) for task in BUILTIN}
    return ReportedScores(preset, row["figure"], row["split"], scores, row.get("note", ""))


def reported_overall() -> tuple[float, str]:
    """The abstract's overall score, and the sentence that must stand beside it (decision 4)."""
    abstract = _document()["abstract"]
    return abstract["overall"], abstract["note"]


def reported_confusion() -> ConfusionRates:
    """Figure 9, as stated."""
    return ConfusionRates(**_document()["figure_9"])


@cache
def figures() -> tuple[Figure, ...]:
    """The paper's figures with results, 1 to 10."""
    return tuple(
        Figure(**row | {"tasks": tuple(row["tasks"]), "models": tuple(row["models"])}) for row in _document()["figures"]
    )


def reported_size(task: str, split: str) -> int:
    """How many examples of a built-in task the paper has in "train", "dev" or "test": the course's split."""
    size: int = _document()["sizes"][split][task]
    return size


@cache
def claims() -> tuple[Claim, ...]:
    """The paper's claims, in the order of docs/paper.md."""
    return tuple(
        Claim(
            **row
            | {
                "decisions": tuple(row["decisions"]),
                "tasks": tuple(row["tasks"]),
                "paper": _pairs(row["paper"]),
                "own": _pairs(row["own"]),
            }
        )
        for row in _document()["claims"]
    )


def claims_about(preset: str) -> tuple[Claim, ...]:
    """The claims in whose pairs a preset stands, those about its own score before those for which it is the control."""
    own = [each for each in claims() if any(pair.changed.preset == preset for pair in (*each.paper, *each.own))]
    control = [each for each in claims() if any(pair.control.preset == preset for pair in (*each.paper, *each.own))]
    return tuple({each.id: each for each in (*own, *control)}.values())


def _pairs(rows: list[list[str]]) -> tuple[Pair, ...]:
    return tuple(Pair(_arm(control), _arm(changed)) for control, changed in rows)


def _arm(text: str) -> Arm:
    name, *assignments = text.split(" --set ")
    return Arm(name, parse_assignments(assignments))
