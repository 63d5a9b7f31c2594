"""Which examples of a task an audit speaks of, one by one: those that are repeated, leaked, or contradict others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bertmt.services.plan.overlaps import text_keys
from bertmt.tasks.examples import Split

Finding = Literal["all", "in train", "repeated", "conflicting", "unlabelled"]
FINDINGS: Mapping[Finding, str] = {
    "all": "all examples",
    "in train": "their very texts stand in the training data too",
    "repeated": "an earlier example of the split has their very texts",
    "conflicting": "equal texts, in training and dev together, have other labels",
    "unlabelled": "without a label",
}


@dataclass(frozen=True, eq=False)
class _Marked:
    """Of a split's examples, all (n,): the key of their texts, and their labels, NaN where there is none."""

    keys: np.ndarray
    labels: np.ndarray


def findings(splits: Mapping[str, Split]) -> dict[str, dict[Finding, np.ndarray]]:
    """By split and finding the indices of the examples, ascending; findings without any are left out.

    400,000 pairs take a second.
    """
    marked = {name: _marked(split) for name, split in splits.items()}
    judged = [marked[name] for name in ("train", "dev") if name in marked]
    keys, labels = (np.concatenate(parts) for parts in zip(*((each.keys, each.labels) for each in judged), strict=True))
    contradicted = _contradicted(keys, labels)
    found: dict[str, dict[Finding, np.ndarray]] = {}
    for name, of in marked.items():
        flags: dict[Finding, np.ndarray] = {"all": np.ones(len(of.keys), dtype=bool)}
        if name != "train":
            flags["in train"] = np.isin(of.keys, marked["train"].keys)
        flags["repeated"] = ~_is_first(of.keys)
        if name != "test":
            flags["conflicting"] = np.isin(of.keys, contradicted) & ~np.isnan(of.labels)
        flags["unlabelled"] = np.isnan(of.labels)
        kept = {each: np.flatnonzero(flag) for each, flag in flags.items()}
        found[name] = {each: indices for each, indices in kept.items() if len(indices) or each == "all"}
    return found


def _marked(split: Split) -> _Marked:
    keys = np.frombuffer(text_keys(split.examples).examples, dtype=np.int64)
    labels = np.array([np.nan if each.label is None else each.label for each in split.examples], dtype=np.float64)
    return _Marked(keys, labels)


def _is_first(keys: np.ndarray) -> np.ndarray:
    """Whether no earlier key equals each; bool (n,)."""
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _contradicted(keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The keys that several labels have."""
    known = ~np.isnan(labels)
    keys, labels = keys[known], labels[known]
    order = np.lexsort((labels, keys))
    keys, labels = keys[order], labels[order]
    differs = (keys[1:] == keys[:-1]) & (labels[1:] != labels[:-1])
    return np.unique(keys[1:][differs])
