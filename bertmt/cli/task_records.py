"""Tasks and audits as `--json` documents hold them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertmt.services.tasks.adding import Understood
    from bertmt.services.tasks.audit import SplitAudit, TaskAudit
    from bertmt.tasks.task import Task


def task_record(task: "Task", file: str | None) -> dict[str, Any]:
    """A definition.

    Args:
        file: where it is written; None for a built-in task.
    """
    source = task.source
    return {
        "name": task.name,
        "title": task.title,
        "data_set": task.data_set,
        "inputs": task.inputs,
        "classes": list(task.classes),
        "range": None if task.classes else list(task.range),
        "prediction": task.prediction,
        "metrics": list(task.metrics),
        "file": file,
        "source": {
            "train": source.train, "dev": source.dev, "test": source.test or None, "text": source.text,
            "pair": source.pair or None, "label": source.label, "hub": source.hub or None,
        } if source else None,
    }  # fmt: skip


def added_record(found: "Understood", file: str) -> dict[str, Any]:
    """What was added, and how it was understood."""
    examples = [{"id": each.id, "first": each.first, "second": each.second, "label": each.label} for each in
                found.examples]  # fmt: skip
    return {
        "task": task_record(found.task, file),
        "sizes": dict(found.sizes),
        "remarks": list(found.remarks),
        "examples": examples,
    }


def audit_record(found: "TaskAudit") -> dict[str, Any]:
    """All that an audit found."""
    return {
        "task": found.task.name,
        "splits": {name: _split_record(split) for name, split in found.splits.items()},
        "conflicts": found.conflicts,
        "conflicting": [asdict(each) for each in found.examples],
        "encoder": found.encoder or None,
        "max_length": found.max_length,
        "remarks": list(found.remarks),
    }


def _split_record(split: "SplitAudit") -> Mapping[str, Any]:
    return {**asdict(split), "classes": dict(split.classes), "quantiles": list(split.quantiles)}
