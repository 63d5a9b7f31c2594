"""What of the encoders of compared runs a reader must know: whether one name is one encoder, and what it has seen."""

from collections.abc import Sequence

from bertmt.drawing.numbers import named
from bertmt.encoders.find import changed_parts
from bertmt.recipe.encoders import OTHER_PROGRAM, seen_in_training
from bertmt.registry.records import Run
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Task


def encoder_warnings(arms: Sequence[Sequence[Run]]) -> list[str]:
    """Sentences to be read with the figures of these arms, each the runs of one."""
    runs = list({run.key: run for arm in arms for run in arm}.values())
    names = dict.fromkeys(str(run.recipe.get("encoder")) for run in runs)
    by_name = {name: [run for run in runs if str(run.recipe.get("encoder")) == name] for name in names}
    said = [sentence for name, of_name in by_name.items() if len(of_name) > 1 for sentence in _is_one(name, of_name)]
    compared = [task for task in tasks_of(runs).values() if _is_compared(arms, task.name)]
    return said + [sentence for task in compared for sentence in _has_seen(task, by_name)]


def _is_one(name: str, runs: Sequence[Run]) -> list[str]:
    """Whether the runs whose recipes call an encoder by one name were trained from one."""
    known = [run for run in runs if run.submission.encoder_fingerprints]
    first = known[0].submission.encoder_fingerprints if known else {}
    others = [run for run in known if run.submission.encoder_fingerprints != first]
    said = []
    if others:
        found = [changed_parts(first, run.submission.encoder_fingerprints) for run in others]
        parts = dict.fromkeys(part for each in found for part in each)
        said.append(
            f"{name} was not one encoder: {_ids(others)} had other {' and '.join(parts)} under that name than "
            f"{known[0].id} ({known[0].name}), so a difference may be the encoder's."
        )
    # The runs of an average may have had several.
    unknown = [run for run in runs if not run.submission.encoder_fingerprints and not run.recipe.get("members")]
    if unknown and name != OTHER_PROGRAM:
        said.append(
            f"Whether {name} was one encoder is not known: an older bertmt queued {_ids(unknown)}, and kept no "
            "fingerprints of encoders."
        )
    return said


def _is_compared(arms: Sequence[Sequence[Run]], task: str) -> bool:
    return sum(any(task in run.tasks and run.score(task) is not None for run in arm) for arm in arms) > 1


def _has_seen(task: Task, by_name: dict[str, list[Run]]) -> list[str]:
    """Which encoders knew what the task asks for before the runs began."""
    said = []
    for name, runs in by_name.items():
        source = task.data_set
        seen = dict.fromkeys(seen_in_training(name, run.submission.encoder_fingerprints).get(source) for run in runs)
        said += [
            f"{name} was already trained on {each}, {task.title}'s source: compare these {task.title} "
            "scores with each other, not with the paper's or those of other encoders."
            for each in seen
            if each
        ]
    return said


def _ids(runs: Sequence[Run]) -> str:
    return named([f"{run.id} ({run.name})" for run in runs])
