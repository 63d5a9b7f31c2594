"""Several models in memory, and their answers to what is asked last."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from bertmt.errors import BertmtError, UsageError, reason_of
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.prediction.answers import answer_as_one, open_model
from bertmt.prediction.questions import Question
from bertmt.prediction.several.inbox import Inbox
from bertmt.prediction.several.lines import Asked, ModelToLoad, read_question, without_each
from bertmt.run_folder.layout import RunFolder

TOGETHER = 16  # texts without a word: between such groups a newer question is looked for
# What a library raises where memory is short or files are not what they should be: told, and the others go on.
Models = Sequence[tuple[MultitaskModel, Tokenizer]]  # of a run, which answer as one
FAILURES = (BertmtError, RuntimeError, OSError, ValueError, MemoryError)


def converse(models: Sequence[ModelToLoad], inbox: Inbox, output: BinaryIO) -> None:
    """Load, and answer until the input ends."""

    def say(**line: Any) -> None:
        output.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        output.flush()

    loaded: dict[str, Models] = {}
    for run in dict.fromkeys(each.run for each in models):
        own = [each for each in models if each.run == run]
        try:
            loaded[run] = [open_model(RunFolder(each.folder), each.allowed) for each in own]
            say(run=run, tasks=list(loaded[run][0][0].about))
        except FAILURES as problem:
            say(run=run, problem=_sentence(problem))
    say(ready=True)
    while (line := inbox.take()) is not None:
        try:
            asked = read_question(line)
        except UsageError as problem:
            say(problem=str(problem))
            continue
        for answer in _answers(loaded, asked, inbox):
            say(ask=asked.number, **answer)
        say(ask=asked.number, done=True)


def _answers(loaded: dict[str, Models], asked: Asked, inbox: Inbox) -> Iterator[dict[str, Any]]:
    """What all of them say, then what they say without each word; no more once something newer was asked."""
    failed = set()
    for run, models in loaded.items():
        questions = [Question(task, "", asked.first, asked.second) for task in _tasks(models, asked)]
        try:
            for answer in answer_as_one(models, questions):
                yield {"run": run, "task": answer["task"], **_said(answer)}
        except FAILURES as problem:
            failed.add(run)
            yield {"run": run, "problem": _sentence(problem)}
    for run, models in loaded.items():
        for task in _tasks(models, asked) if asked.words and run not in failed else ():
            words = _without_words(models, task, asked, inbox)
            if words is None:
                return
            yield {"run": run, "task": task, "words": words}


def _without_words(models: Models, task: str, asked: Asked, inbox: Inbox) -> list[dict[str, Any]] | None:
    """The answers without each word; None where something newer was asked meanwhile."""
    texts = without_each(asked)
    found: list[dict[str, Any]] = []
    for start in range(0, len(texts), TOGETHER):
        if inbox.has_newer:
            return None
        part = texts[start : start + TOGETHER]
        answers = answer_as_one(models, [Question(task, "", each.first, each.second) for each in part])
        found += [{"text": each.text, **_said(answer)} for each, answer in zip(part, answers, strict=True)]
    return None if inbox.has_newer else found


def _tasks(models: Models, asked: Asked) -> list[str]:
    """Those about single sentences, or those about pairs."""
    return [name for name, task in models[0][0].about.items() if task.pair == (asked.second is not None)]


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    shares = answer["probabilities"]
    return {"label": answer["label"], "probabilities": shares if isinstance(shares, list) else [shares]}


def _sentence(problem: Exception) -> str:
    """In one line, whatever a library says."""
    if isinstance(problem, BertmtError):
        return " ".join(str(problem).split())
    said = " ".join(str(reason_of(problem)).split())[:200]
    return f"Its model cannot be asked: {said or type(problem).__name__}."
