"""What tried recipes score on either half of dev, from the predictions that every evaluation leaves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bertmt.comparison.held_out import Halves, held_out_mask, standard_error
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.searches.records import Search
from bertmt.registry.searches.rows import search_named, store_held_out
from bertmt.services.analysis.searching.plan import read_plan
from bertmt.tasks.scores import overall, predicted_labels, score

NO_HALVES = Halves(None, None)


@dataclass(frozen=True)
class HeldOut:
    """Which dev examples of a task no choice looks at; shape of the mask (n,).

    Attributes:
        fingerprint: of the examples, in whose order the mask is.
    """

    fingerprint: str
    mask: np.ndarray
    labels: np.ndarray


@dataclass
class Scorer:
    """Scores of one search; what was read once is kept, since predictions of an epoch never change."""

    database: Database
    search: Search
    _masks: dict[str, HeldOut] = field(default_factory=dict)
    _known: dict[tuple[int, int, int], Halves] = field(default_factory=dict)
    _errors: dict[tuple[int, int, int], float | None] = field(default_factory=dict)

    def halves(self, run: Run, epoch: int | None) -> Halves:
        """What a run scores at an epoch on the half that is chosen by and on the other; undefined where it has no
        predictions of all of its tasks, or they are of other examples."""
        if epoch is None:
            return NO_HALVES
        key = run.key, run.attempt, epoch
        if key not in self._known:
            found = self._predicted(run, epoch)
            if found is None:
                return NO_HALVES
            self._known[key] = Halves(*(self._score(run, found, is_held_out) for is_held_out in (False, True)))
        return self._known[key]

    def error(self, run: Run, epoch: int | None) -> float | None:
        """The standard error of what a run scores on the held-out half; on all of dev where nothing is held out."""
        if epoch is None:
            return None
        key = run.key, run.attempt, epoch
        if key not in self._errors:
            found = self._predicted(run, epoch)
            if found is None:
                return None
            self._errors[key] = self._error(run, found)
        return self._errors[key]

    def _error(self, run: Run, found: Mapping[str, np.ndarray]) -> float | None:
        holds_out = read_plan(self.search.plan).holds_out
        parts = {name: self._part(name, predicted, holds_out) for name, predicted in found.items()}
        tasks = run.tasks

        def of(places: Mapping[str, np.ndarray]) -> float | None:
            scores = {name: score(tasks[name], parts[name][0][at], parts[name][1][at]) for name, at in places.items()}
            return overall(scores, tasks) if len(tasks) > 1 else next(iter(scores.values()))

        return standard_error(of, {name: len(labels) for name, (_, labels) in parts.items()})

    def _predicted(self, run: Run, epoch: int) -> dict[str, np.ndarray] | None:
        """Predicted labels by task; None where some are missing."""
        found = {}
        for name, task in run.tasks.items():
            stored = stored_predictions.read(self.database, run.key, name, epoch)
            if stored is None or self._mask_of(name, stored.fingerprint) is None:
                return None
            found[name] = predicted_labels(task, stored.probabilities)
        return found

    def _mask_of(self, task: str, fingerprint: str) -> HeldOut | None:
        """The mask of a task; None where it is of other examples than these."""
        known = self._masks.get(task)
        if known is None:
            examples = stored_predictions.examples(self.database, fingerprint)
            if not examples:
                return None
            labels = [each.label for each in examples]
            mask = held_out_mask([each.id for each in examples])
            if not read_plan(self.search.plan).holds_out:
                mask[:] = False
            known = self._masks[task] = HeldOut(fingerprint, mask, np.array(labels, dtype=float))
        return known if known.fingerprint == fingerprint else None

    def _part(self, task: str, predicted: np.ndarray, is_held_out: bool) -> tuple[np.ndarray, np.ndarray]:
        """Predicted and true labels of one half."""
        held_out = self._masks[task]
        chosen = held_out.mask if is_held_out else ~held_out.mask
        return predicted[chosen], held_out.labels[chosen]

    def _score(self, run: Run, predicted: Mapping[str, np.ndarray], is_held_out: bool) -> float | None:
        scores = {
            name: score(task, *self._part(name, predicted[name], is_held_out)) for name, task in run.tasks.items()
        }
        return overall(scores, run.tasks) if len(scores) > 1 else next(iter(scores.values()), None)

    def keep_masks(self) -> None:
        """Store which examples are held out, once: whoever looks later can tell."""
        if self.search.held_out is not None or not self._masks or self.database.read_only:
            return
        text = json.dumps(
            {
                task: {
                    "fingerprint": each.fingerprint,
                    "examples": len(each.mask),
                    "mask": np.packbits(each.mask).tobytes().hex(),
                }
                for task, each in self._masks.items()
            }
        )
        with self.database.immediate():
            store_held_out(self.database, self.search.key, text)
            self.search = search_named(self.database, self.search.name)


def scorer_of(database: Database, name: str, known: Scorer | None = None) -> Scorer:
    """A scorer of the search of that name: the known one, as long as it is of the same registry and search.

    Raises:
        NotFoundError: there is no such search.
    """
    if known is not None and known.database is database and known.search.name == name:
        return known
    return Scorer(database, search_named(database, name))
