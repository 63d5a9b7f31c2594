"""Answers of a stored model, in the order of the questions."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bertmt.models.inference import compute_outputs, probabilities
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.prediction.questions import Question
from bertmt.run_folder.predictions import predicted_labels


def answers(model: MultitaskModel, tokenizer: Tokenizer, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
    """One document per question: task, id, label, and probabilities as `Predictions` describes them."""
    found: list[tuple[float, Any]] = [(0.0, None)] * len(questions)
    for task in dict.fromkeys(question.task for question in questions):
        rows = [row for row, question in enumerate(questions) if question.task == task]
        stated = _probabilities(model, tokenizer, task, [questions[row] for row in rows])
        for row, label, each in zip(rows, predicted_labels(task, stated).tolist(), stated.tolist(), strict=True):
            found[row] = (label, each)
    for question, (label, each) in zip(questions, found, strict=True):
        yield {"task": question.task, "id": question.id, "label": label, "probabilities": each}


def _probabilities(model: MultitaskModel, tokenizer: Tokenizer, task: str, questions: Sequence[Question]) -> np.ndarray:
    first = tokenizer.encode([question.first for question in questions])
    seconds = [question.second for question in questions if question.second is not None]
    return probabilities(
        task, compute_outputs(model, tokenizer, task, first, tokenizer.encode(seconds) if seconds else None)
    )
