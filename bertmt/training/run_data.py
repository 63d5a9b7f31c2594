"""The splits that a run reads, checked against what it was submitted with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.errors import DataError
from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.layout import RunOrder
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.loading import read_extra_pairs, read_split, with_extra_pairs
from bertmt.tasks.malformed import shown

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunData:
    """Train and dev splits by task; a training split holds the extra pairs where the recipe has them."""

    train: Mapping[str, Split]
    dev: Mapping[str, Split]

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers of examples by "<task>-<split>"."""
        splits = [*self.train.values(), *self.dev.values()]
        return {f"{split.task}-{split.name}": len(split.examples) for split in splits}


def read_run_data(order: RunOrder, recipe: Recipe) -> RunData:
    """Read what the recipe trains on and is evaluated on; dev splits are cut to `evaluate_examples`.

    Raises:
        DataError: a file is missing or unusable, or differs from what the run was submitted with.
    """
    found = _Splits(order, recipe)
    refuse_changed_data(order, recipe, found)
    train = {task: _training_split(recipe, task, found) for task in recipe.tasks}
    dev = {task: found[f"{task}-dev"].first(recipe.evaluate_examples) for task in recipe.tasks}
    for split in [*train.values(), *dev.values()]:
        for warning in split.warnings:
            log.warning(warning)
    return RunData(train, dev)


class _Splits(dict[str, Split]):
    """Splits and extra pairs by "<task>-<split>", each read once: what is trained on is what was checked."""

    def __init__(self, order: RunOrder, recipe: Recipe):
        super().__init__()
        self._order, self._recipe = order, recipe

    def __missing__(self, name: str) -> Split:
        task, _, split = name.partition("-")
        about, order = self._recipe.task(task), self._order
        if split == "extra":
            self[name] = read_extra_pairs(order.extra_data_file, about, self._recipe.extra_data_limit)
        else:
            self[name] = read_split(order.data, about, split)
        return self[name]


def refuse_changed_data(order: RunOrder, recipe: Recipe, found: Mapping[str, Split]) -> None:
    """Return if every split has the fingerprint that it had at submit.

    Args:
        found: the splits as they are now, by "<task>-<split>".

    Raises:
        DataError: naming the splits that have not, or that are of none of the recipe's tasks.
    """
    foreign = order.foreign_fingerprints(recipe.known)
    if foreign:
        raise DataError(
            f"The run has a fingerprint of {shown(foreign[0])}, which is of none of its tasks: its run.json was "
            f"changed, so queue a new run like it with `bertmt queue --from {order.run_id}`."
        )
    changed = [name for name, expected in order.fingerprints.items() if fingerprint(found[name].examples) != expected]
    if changed:
        raise DataError(
            "The data have changed since this run was submitted: restore them and use `bertmt requeue "
            f"{order.run_id} --data DIR`, or queue a new run. In {order.data} {', '.join(changed)} "
            f"{'differs' if len(changed) == 1 else 'differ'}."
        )


def _training_split(recipe: Recipe, task: str, found: Mapping[str, Split]) -> Split:
    split = found[f"{task}-train"]
    if not (recipe.extra_data and recipe.task(task).extra_pairs):
        return split
    return with_extra_pairs(split, found[f"{task}-extra"])
