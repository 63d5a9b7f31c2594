"""Several models in memory, and their answers to what is asked last."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from bertmt.errors import BertmtError, UsageError, reason_of
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.prediction.answers import answer_group, open_model
from bertmt.prediction.questions import Question
from bertmt.prediction.several.inbox import Inbox
from bertmt.prediction.several.lines import Asked, ModelToLoad, read_question, without_each
from bertmt.run_folder.layout import RunFolder

TOGETHER = 16  # texts without a word: between such groups a newer question is looked for
# What a library raises where memory is short or files are not what they should be: told, and the others go on.
FAILURES = (BertmtError, RuntimeError, OSError, ValueError, MemoryError)


def converse(models: Sequence[ModelToLoad], inbox: Inbox, output: BinaryIO) -> None:
    """Load, and answer until the input ends."""

    def say(**line: Any) -> None:
        output.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        output.flush()

    loaded: dict[str, tuple[MultitaskModel, Tokenizer]] = {}
    for each in models:
        try:
            loaded[each.run] = open_model(RunFolder(each.folder), each.allowed)
            say(run=each.run, tasks=list(loaded[each.run][0].about))
        except FAILURES as problem:
            say(run=each.run, problem=_sentence(problem))
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


def _answers(
    loaded: dict[str, tuple[MultitaskModel, Tokenizer]], asked: Asked, inbox: Inbox
) -> Iterator[dict[str, Any]]:
    """What all of them say, then what they say without each word; no more once something newer was asked."""
    failed = set()
    for run, (model, tokenizer) in loaded.items():
        tasks = _tasks(model, asked)
        try:
            for answer in answer_group(
                model, tokenizer, [Question(task, "", asked.first, asked.second) for task in tasks]
            ):
                yield {"run": run, "task": answer["task"], **_said(answer)}
        except FAILURES as problem:
            failed.add(run)
            yield {"run": run, "problem": _sentence(problem)}
    for run, (model, tokenizer) in loaded.items():
        for task in _tasks(model, asked) if asked.words and run not in failed else ():
            words = _without_words(model, tokenizer, task, asked, inbox)
            if words is None:
                return
            yield {"run": run, "task": task, "words": words}


def _without_words(
    model: MultitaskModel, tokenizer: Tokenizer, task: str, asked: Asked, inbox: Inbox
) -> list[dict[str, Any]] | None:
    """The answers without each word; None where something newer was asked meanwhile."""
    texts = without_each(asked)
    found: list[dict[str, Any]] = []
    for start in range(0, len(texts), TOGETHER):
        if inbox.has_newer:
            return None
        part = texts[start : start + TOGETHER]
        answers = answer_group(model, tokenizer, [Question(task, "", each.first, each.second) for each in part])
        found += [{"text": each.text, **_said(answer)} for each, answer in zip(part, answers, strict=True)]
    return None if inbox.has_newer else found


def _tasks(model: MultitaskModel, asked: Asked) -> list[str]:
    """Those about single sentences, or those about pairs."""
    return [name for name, task in model.about.items() if task.pair == (asked.second is not None)]


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    shares = answer["probabilities"]
    return {"label": answer["label"], "probabilities": shares if isinstance(shares, list) else [shares]}


def _sentence(problem: Exception) -> str:
    """In one line, whatever a library says."""
    if isinstance(problem, BertmtError):
        return " ".join(str(problem).split())
    said = " ".join(str(reason_of(problem)).split())[:200]
    return f"Its model cannot be asked: {said or type(problem).__name__}."
