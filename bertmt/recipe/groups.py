"""Settings of a recipe that belong together: of LoRA, and of each task's head."""

from dataclasses import dataclass, field
from typing import Any

from bertmt.recipe.settings import Role, setting

TOGGLE = Role.TOGGLE


def group(group_class: type) -> Any:
    """A field that holds a nested group of settings."""
    return field(default_factory=group_class, metadata={"group": group_class})


def group_by_task(group_class: type) -> Any:
    """A field that holds a group of settings for each task, by its name; a task that has none has the defaults."""
    return field(default_factory=dict, metadata={"group_by_task": group_class})


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters, section 4.4: W = W_pretrained (frozen) + BA."""

    rank: int = setting(0, "int", TOGGLE, "rank r of the adapters; 0 trains the encoder itself", minimum=0)
    alpha: float | None = setting(
        None, "float", TOGGLE, "scale numerator; defaults to the rank: W + BA exactly", above=0, optional=True
    )
    rslora: bool = setting(False, "bool", TOGGLE, "divide alpha by √r instead of r (rsLoRA)")
    targets: str = setting(
        "all-linear",
        "str",
        TOGGLE,
        "which encoder layers get adapters",
        choices=("all-linear", "query-value", "attention"),
    )
    dropout: float = setting(0.0, "float", TOGGLE, "dropout before the adapters", minimum=0, maximum=0.9)


@dataclass(frozen=True, kw_only=True)
class Head:
    """A task's projection, section 4.2: `layers` linear maps, `hidden` wide between them."""

    layers: int = setting(1, "int", TOGGLE, "number of linear maps; 1 is a plain projection", minimum=1, maximum=20)
    hidden: int = setting(100, "int", TOGGLE, "width between the maps (unused with one layer)", minimum=1)
    module: str = setting("", "str", TOGGLE, "a head of your own in its place: mine.py:MyHead")
