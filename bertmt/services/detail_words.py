"""What is known of a run in words, for every front end's page about it: its code, its toggles, its effort."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.services.run_words import value_text

if TYPE_CHECKING:
    from bertmt.recipe.reported import ReportedScores
    from bertmt.services.details import Details


def compared_with(details: "Details") -> str:
    """Which run it is compared with, and the difference from it; empty where there is none."""
    baseline = details.baseline
    if baseline is None:
        return ""
    if baseline.key == details.run.key:
        return "this run"
    return f"{numbers.difference(details.difference)} from {baseline.id} ({baseline.name})"


def place_in_queue(details: "Details") -> str:
    """Where a queued run stands."""
    return f"{details.place} in the queue (1 is next)" if details.place else ""


def code_words(details: "Details") -> list[str]:
    """The version and the commit that it was queued with, and whether the code has changed since."""
    source = details.snapshot.source
    commit = f", commit {str(source['commit'])[:12]}" if source.get("commit") else ""
    dirty = " with uncommitted changes" if source.get("diff") else ""
    said = [f"bertmt {source.get('version')}{commit}{dirty}"]
    return [*said, "has changed since this run was queued"] if details.code_changed else said


def changes_from_preset(details: "Details") -> list[str]:
    """Toggles that have something to do and are not as its preset has them: "lora.rank 200 → 16"."""
    idle = details.recipe.idle() if details.recipe is not None else {}
    return [
        f"{name} {value_text(old)} → {value_text(new)}"
        for name, (old, new) in details.changes.items()
        if name not in idle
    ]


def paper_words(paper: "ReportedScores") -> list[str]:
    """What the paper's scores are of, and what it says of them."""
    return list(filter(None, (f"paper: Figure {paper.figure}, {paper.split} set, at bert-base, full data", paper.note)))


def effort_words(details: "Details") -> Mapping[str, str | Sequence[str]]:
    """Steps, time, memory, speed and what the run remarked; empty where it is not known."""
    run, finished = details.run, details.run.finished
    seconds, memory = finished.get("seconds") or {}, finished.get("peak_memory_mib")
    steps, speed, padding = finished.get("step", run.step), details.tokens_per_second, details.padding_share
    return {
        "steps": f"{numbers.count(steps)} of {numbers.count(run.steps_total)}" if steps is not None else "",
        "time": ", ".join(f"{phase} {numbers.duration(each)}" for phase, each in seconds.items()),
        "memory": f"{memory:,.0f} MiB at most" if memory is not None else "",
        "speed": f"{speed:,.0f} tokens/s (median step)" if speed is not None else "",
        "padding": f"{numbers.percentage(padding)} of the tokens" if padding is not None else "",
        "remarks": [str(each) for each in finished.get("remarks", ())],
    }


def use_of_tasks(details: "Details") -> list[tuple[str, str, str, str]]:
    """Task, examples, passes over its training split, tokens; as a finished run told them."""
    finished = details.run.finished
    examples, passes, tokens = (finished.get(kind) or {} for kind in ("examples", "passes", "tokens"))
    return [
        (name, numbers.count(count), numbers.score(passes.get(name), 2), numbers.count(tokens.get(name)))
        for name, count in examples.items()
    ]
