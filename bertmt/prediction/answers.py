"""Answers of a trained model to questions."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np
import torch
from jaxtyping import Float32

from bertmt.bounded_files import MOST_JSON, read_text
from bertmt.models.inference import compute_outputs, probabilities
from bertmt.models.multitask import MultitaskModel
from bertmt.models.precision import DTYPES, choose_precision
from bertmt.models.saving import load_model
from bertmt.models.tokenizing import Tokenizer
from bertmt.prediction.questions import Question, read_groups
from bertmt.recipe.loading import from_json
from bertmt.run_folder.layout import RunFolder
from bertmt.tasks.mean_predictions import mean_of
from bertmt.tasks.scores import predicted_labels

Answer = dict[str, Any]


def answer_stream(
    folder: RunFolder, questions: Iterable[bytes], answers: BinaryIO, allowed: Collection[str] = ()
) -> None:
    """Load a model and answer groups of questions until there are no more.

    Args:
        allowed: as of `load_model`.

    Raises:
        BertmtError: the model cannot be loaded, or a line is no question for it.
    """
    model, tokenizer = open_model(folder, allowed)
    for group in read_groups(questions, model.about):
        for answer in answer_group(model, tokenizer, group):
            answers.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        answers.flush()


def open_model(folder: RunFolder, allowed: Collection[str] = ()) -> tuple[MultitaskModel, Tokenizer]:
    """A run's model on the device that it is asked on, and its tokenizer.

    Raises:
        BertmtError: it cannot be loaded.
    """
    model, tokenizer = load_model(folder.model, allowed)
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    # As the run's dev predictions were made: on the same machine they come out the same, bit by bit.
    precision = from_json(read_text(folder.recipe, MOST_JSON), folder.read_tasks()).precision
    model.encoder_dtype = DTYPES[choose_precision(precision, device, model.config.hidden_size)]
    model.to(device)
    return model, tokenizer


def answer_as_one(loaded: Sequence[tuple[MultitaskModel, Tokenizer]], questions: Sequence[Question]) -> list[Answer]:
    """As `answer_group`; of several models their mean."""
    told = [answer_group(model, tokenizer, questions) for model, tokenizer in loaded]
    if len(told) == 1:
        return told[0]
    about, answers = loaded[0][0].about, []
    for of_models in zip(*told, strict=True):
        mean = mean_of([np.array(each["probabilities"]) for each in of_models])
        label = predicted_labels(about[of_models[0]["task"]], mean[None])[0].item()
        answers.append(of_models[0] | {"label": label, "probabilities": mean.tolist()})
    return answers


def answer_group(model: MultitaskModel, tokenizer: Tokenizer, questions: Sequence[Question]) -> list[Answer]:
    """Answers in the order of the questions.

    Returns:
        per question its task and id; label: a class, or the cosine or the head's output; probabilities: of each class a
        list, of two that of class 1, or the label again.
    """
    answers: list[Answer] = [{} for _ in questions]
    for task in dict.fromkeys(question.task for question in questions):
        places = [place for place, question in enumerate(questions) if question.task == task]
        predicted = _predict(model, tokenizer, task, [questions[place] for place in places])
        for place, label, share in zip(places, predicted_labels(model.about[task], predicted), predicted, strict=True):
            answers[place] = {
                "task": task,
                "id": questions[place].id,
                "label": label.item(),
                "probabilities": share.tolist(),
            }
    return answers


def _predict(
    model: MultitaskModel, tokenizer: Tokenizer, task: str, questions: Sequence[Question]
) -> Float32[np.ndarray, "examples *classes"]:
    first = tokenizer.encode([question.first for question in questions])
    seconds = [question.second for question in questions if question.second is not None]
    outputs = compute_outputs(model, task, first, tokenizer.encode(seconds) if seconds else None)
    return probabilities(model.about[task], outputs)
