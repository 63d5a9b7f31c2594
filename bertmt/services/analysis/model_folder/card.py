"""The model card: README.md of an exported folder, as the Hugging Face hub and people read it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.drawing import numbers
from bertmt.registry.records import Run
from bertmt.services.analysis.model_folder import facts, snippets
from bertmt.services.analysis.model_folder.facts import Score
from bertmt.services.analysis.model_folder.markup import escaped, fenced, front_matter, table
from bertmt.services.browse.detail_formatting import energy_text
from bertmt.services.browse.details import Details
from bertmt.tasks.task import Task

SENTENCE_TRANSFORMERS, TRANSFORMERS = "sentence-transformers", "transformers"
NO_LICENCE = "license: choose one, and mind those of the encoder and of the data"


@dataclass(frozen=True)
class Contents:
    """What an exported folder holds.

    Attributes:
        to: the library that it is for.
        folder: as it will be called.
        task: whose encoder it has, or which task it is.
        base: the encoder of the adapter, where that alone was written.
        predicted_by: task to "cosine" or "head", where the folder can predict it.
        left_out: task to why it cannot.
    """

    to: str
    folder: Path
    task: str
    base: str | None
    predicted_by: Mapping[str, str]
    left_out: Mapping[str, str]


def model_card(details: Details, scores: Sequence[Score], contents: Contents) -> str:
    """The whole card, with the scores of what the folder can predict."""
    run = details.run
    scores = [each for each in scores if each.task.name in contents.predicted_by]
    sections = {
        "Use": _use(details, contents),
        "Scores": _scores(scores),
        "Data": _data(details),
        "Recipe": [_recipe(details)],
        "Environment": _bullets([escaped(each) for each in facts.environment_of(details)]),
        "Time and energy": _bullets(_effort(details)),
        "What the encoder had seen": [escaped(facts.about_seen(run))],
        "Limits": _bullets([escaped(each) for each in facts.limits_of(details)]),
        "Licence": [
            "None is chosen here. Whoever passes this folder on chooses one (`license:` at the head of this page), and "
            "minds those of the encoder that training began with and of the data."
        ],
    }
    parts = [front_matter(_entries(details, scores, contents), NO_LICENCE), f"# {escaped(run.name)}", _what(details)]
    for title, paragraphs in sections.items():
        parts += [f"## {title}", *paragraphs]
    return "\n\n".join(parts) + "\n"


def _what(details: Details) -> str:
    run, marks = details.run, details.run.submission.encoder_fingerprints
    sources = {task.title: facts.source_of(run, task) for task in run.tasks.values()}
    titles = ", ".join(escaped(f"{title} ({source})" if source else title) for title, source in sources.items())
    began = escaped(facts.base_model(run) or str(facts.without_place(run.recipe.get("encoder"))))
    weights = f" (weights {escaped(marks['weights'])})" if marks.get("weights") else ""
    several = f" on {len(run.tasks)} tasks together" if len(run.tasks) > 1 else ""
    return f"{began}{weights}, fine-tuned{several}: {titles}. Run {escaped(run.id)} of bertmt wrote this folder."


def _use(details: Details, contents: Contents) -> Iterator[str]:
    tasks = details.run.tasks
    if contents.to == TRANSFORMERS:
        task = tasks[contents.task]
        yield fenced(snippets.classifier(contents.folder, task.pair, not task.classes), "python")
        yield _said_of(task, contents.predicted_by[task.name])
        return
    yield fenced(snippets.sentence_transformers(contents.folder), "python")
    if contents.base is not None:
        yield "It holds the adapter of LoRA alone; the encoder is fetched from where it came. Without that library:"
        yield fenced(snippets.adapter(contents.folder, contents.base), "python")
    if "head" in contents.predicted_by.values():
        yield "Embeddings are not normalised. The heads that read them are in heads.safetensors:"
        yield fenced(snippets.heads(contents.folder), "python")
    said = [_said_of(tasks[name], by) for name, by in contents.predicted_by.items()]
    lacking = [
        f"{escaped(tasks[name].title)} cannot be had: {escaped(why)}." for name, why in contents.left_out.items()
    ]
    yield "\n".join(_bullets([*said, *lacking]))


def _said_of(task: Task, by: str) -> str:
    title, name = escaped(task.title), escaped(task.name)
    if task.classes:
        listed = ", ".join(f"{number} {escaped(text)}" for number, text in enumerate(task.classes))
        return f"{title} ({name}): {'pairs' if task.pair else 'single texts'}, classes {listed}."
    low, high = task.range
    scale = f"labels go from {low:g} to {high:g}"
    if by == "cosine":
        raised = f", plus {low:g}" if low else ""
        return f"{title} ({name}): the cosine of a pair, times {high - low:g}{raised}; {scale}."
    return f"{title} ({name}): a number of {'a pair' if task.pair else 'a text'}; {scale}."


def _scores(scores: Sequence[Score]) -> list[str]:
    rows = [
        [
            escaped(each.task.title), each.title, numbers.score(each.value), _ends(each.interval),
            numbers.count(each.examples),
        ]
        for each in scores
    ]  # fmt: skip
    if not rows:
        return ["This folder predicts none of the tasks that the run was trained on."]
    methods = " and ".join(dict.fromkeys(each.method for each in scores if each.method))
    explained = (
        f"On the dev examples. The intervals ({methods}, 95 %) tell what other examples would have done to the scores "
        "of this model; other seeds and other texts differ more."
    )
    head = ["task", "metric", "dev score", "95 % interval", "dev examples"]
    return [table(head, rows), *([explained] if methods else [])]


def _ends(interval: tuple[float, float] | None) -> str:
    return numbers.MISSING if interval is None else f"{numbers.score(interval[0])} to {numbers.score(interval[1])}"


def _data(details: Details) -> list[str]:
    run = details.run
    rows = [[escaped(name), numbers.count(size), escaped(mark)] for name, size, mark in facts.data_of(run)]
    known = {task.title: facts.source_of(run, task) for task in run.tasks.values()}
    sources = [f"{escaped(title)}: {escaped(source)}." for title, source in known.items() if source]
    held = [table(["split", "examples", "fingerprint"], rows)] if rows else ["Not known."]
    return [*held, *(["\n".join(_bullets(sources))] if sources else [])]


def _recipe(details: Details) -> str:
    found = facts.recipe_toml(details)
    return "Written by another version of bertmt." if found is None else fenced(found, "toml")


def _effort(details: Details) -> list[str]:
    run, finished = details.run, details.run.progress.finished
    said = [numbers.counted(run.progress.steps_done, "step")] if run.progress.steps_done else []
    if finished and finished.seconds:
        times = ", ".join(f"{phase} {numbers.duration(each)}" for phase, each in finished.seconds.items())
        said.append(escaped(times))
    return [*said, f"energy: {escaped(energy_text(run)) or 'not measured'}"]


def _bullets(lines: Sequence[str]) -> list[str]:
    return ["\n".join(f"- {line}" for line in lines)] if lines else []


def _entries(details: Details, scores: Sequence[Score], contents: Contents) -> dict[str, Any]:
    run, is_classifier = details.run, contents.to == TRANSFORMERS
    kind = "text-classification" if is_classifier else "sentence-similarity"
    found: dict[str, Any] = {
        "library_name": contents.to,
        "pipeline_tag": kind,
        "tags": ["bertmt", *(["custom_code"] if is_classifier else [SENTENCE_TRANSFORMERS, "feature-extraction"])],
    }
    base = facts.base_model(run)
    if base:
        found |= {"base_model": base, "base_model_relation": "adapter" if contents.base else "finetune"}
    of_hub = list(dict.fromkeys(filter(None, map(_on_the_hub, run.tasks.values()))))
    found |= {"datasets": of_hub} if of_hub else {}
    results = [_result(run, each, contents) for each in scores if each.value is not None]
    return found | ({"model-index": [{"name": run.name, "results": results}]} if results else {})


def _result(run: Run, score: Score, contents: Contents) -> dict[str, Any]:
    task = score.task
    by_cosine = contents.predicted_by[task.name] == "cosine"
    return {
        "task": {"type": "sentence-similarity" if by_cosine else "text-classification", "name": task.title},
        "dataset": {
            "type": _on_the_hub(task) or task.name, "name": facts.source_of(run, task) or task.title, "split": "dev"
        },
        "metrics": [{"type": score.metric, "value": score.value, "name": score.title}],
    }  # fmt: skip


def _on_the_hub(task: Task) -> str:
    """What the hub calls the data of a user's task, "owner/name"; "" where they are not from there."""
    return re.split("[:@]", task.source.hub)[0] if task.source else ""
