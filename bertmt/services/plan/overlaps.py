"""Dev examples that a model was trained on, or that are no independent samples, and what they give without a model.

Overlaps are counted at submit. A count depends on the examples alone, so it is stored under their fingerprints, once
for all runs on the same data.
"""

import json
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from bertmt.drawing import numbers
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import setting, store_setting
from bertmt.tasks.examples import Example
from bertmt.tasks.task import Task


@dataclass(frozen=True)
class Overlap:
    """What of a task's dev examples stands elsewhere too.

    Attributes:
        dev: how many there are.
        in_training: how many have the very texts of a training example, extra pairs included, whatever its label.
        sharing: how many pairs have a sentence that another dev pair has; 0 where examples are no pairs.
        touching: how many have a sentence at least that stands in the training data, those of `in_training` among
            them; None: an older bertmt did not count them.
    """

    dev: int
    in_training: int
    sharing: int
    touching: int | None = None

    def sentences(self, task: Task) -> list[str]:
        """What to know of it, and what follows."""
        said, title = [], task.title
        if self.in_training:
            said.append(
                f"{title}: {self.in_training:,} of {self.dev:,} dev examples also occur in the training data"
                f"{' as whole pairs' if task.pair else ''}, so the scores on them are optimistic."
            )
        if task.pair and self.touching:
            said.append(
                f"{title}: of {self.touching:,} of {self.dev:,} dev pairs one sentence at least stands in the "
                "training data."
            )
        if self.sharing:
            said.append(
                f"{title}: {self.sharing:,} of {self.dev:,} dev pairs share a sentence with another, so intervals "
                "and p values, which assume independent examples, are slightly too confident."
            )
        return said


@dataclass(frozen=True)
class TextKeys:
    """What is kept of the texts of a split: 8 bytes each, of which two are equal by chance once in 10¹⁹.

    Attributes:
        examples: of each example's texts.
        sentences: of each sentence, those of a pair one after the other; empty where examples are no pairs.
    """

    examples: "array[int]"
    sentences: "array[int]"


def text_keys(examples: Sequence[Example]) -> TextKeys:
    """The keys of a split's texts, which hold within this process."""
    pairs = [each for each in examples if each.second is not None]
    return TextKeys(
        array("q", (hash((each.first, each.second)) for each in examples)),
        array("q", (hash(text) for each in pairs for text in (each.first, each.second))),
    )


def count_overlap(dev: TextKeys, training: Sequence[TextKeys], cut: int) -> Overlap:
    """Look for dev examples in the training splits, and for their sentences among each other.

    Args:
        cut: only so many dev examples are evaluated; 0: all.
    """
    examples, sentences = (dev.examples[:cut], dev.sentences[: 2 * cut]) if cut else (dev.examples, dev.sentences)
    trained = set().union(*(each.examples for each in training))
    pairs = [set(sentences[start : start + 2]) for start in range(0, len(sentences), 2)]
    used = Counter(sentence for pair in pairs for sentence in pair)
    sharing = sum(any(used[sentence] > 1 for sentence in pair) for pair in pairs)
    inside = sum(example in trained for example in examples)
    known = set().union(*(each.sentences for each in training))
    touching = sum(not pair.isdisjoint(known) for pair in pairs) if pairs else inside
    return Overlap(len(examples), inside, sharing, touching)


def store_overlaps(
    database: Database, overlaps: Mapping[str, Overlap], fingerprints: Mapping[str, str], cut: int
) -> None:
    """Keep by task what there is to say."""
    for task, overlap in overlaps.items():
        name = _name(task, fingerprints, cut)
        matters = overlap.in_training or overlap.sharing or overlap.touching
        if name and matters and _read(setting(database, name)) != overlap:  # an older bertmt counted less
            store_setting(database, name, json.dumps(asdict(overlap)))


def overlap_sentences(database: Database, run: Run, tasks: Collection[str] | None = None) -> list[str]:
    """What is known of the dev examples of a run; of some tasks, or of all that it trains."""
    said = []
    for task, about in run.tasks.items():
        name = _name(task, run.submission.fingerprints, run.recipe.get("evaluate_examples") or 0)
        overlap = _read(setting(database, name)) if name and (tasks is None or task in tasks) else None
        said += overlap.sentences(about) if overlap else []
    return said


def commonest_sentences(
    database: Database,
    run: Run,
    tasks: Collection[str] | None = None,
    labels_of: Callable[[str], Sequence[float | None]] | None = None,
) -> list[str]:
    """What always answering the commonest class scores on the dev examples that a run was evaluated on, in a sentence.

    Args:
        tasks: by default all that it trains; those without classes have no such score.
        labels_of: a split by its fingerprint, where they are read for many runs.
    """
    # Both take numpy, 50 ms of which no queueing needs any.
    from bertmt.registry import predictions as stored_predictions  # noqa: PLC0415
    from bertmt.tasks.scores import commonest_class  # noqa: PLC0415

    read = labels_of or partial(stored_predictions.labels, database)
    said = []
    for name, task in run.tasks.items():
        if not task.classes or (tasks is not None and name not in tasks):
            continue
        mark = stored_predictions.fingerprint_of(database, run.key, name, run.scores.selected_epoch)
        found = commonest_class(task, read(mark)) if mark else None
        if found is not None:
            said.append(f"{task.title} {numbers.score(found[1])} ({task.classes[found[0]]})")
    return [f"Always the commonest class, accuracy on dev: {', '.join(said)}."] if said else []


def _read(text: str | None) -> Overlap | None:
    try:
        found = json.loads(text or "null")
        counts = [found["dev"], found["in_training"], found["sharing"]]
        touching = found.get("touching")
    except (ValueError, TypeError, KeyError):
        return None
    known = counts if touching is None else [*counts, touching]
    return Overlap(*known) if all(type(count) is int for count in known) else None


def _name(task: str, fingerprints: Mapping[str, str], cut: int) -> str | None:
    """Under which a count is stored; None where its data are not known."""
    marks = [fingerprints.get(f"{task}-{split}") for split in ("dev", "train")]
    if None in marks:
        return None
    extra = fingerprints.get(f"{task}-extra")
    return " ".join(("overlap", *map(str, marks), *([extra] if extra else []), *([f"first {cut}"] if cut else [])))
