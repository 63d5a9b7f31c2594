"""How long the examples of a measure's data are."""

from collections.abc import Sequence
from statistics import fmean

from bench.training.contenders import MAX_LENGTH, TASKS
from bertmt.models.tokenizing import load_tokenizer
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split

LOOKED_AT = 2_000  # examples of a task


def tokens_per_example(data: str, encoder: str, tasks: Sequence[str] = TASKS) -> dict[str, float]:
    """Tokens of a training example on average, by task: both sentences of a pair, as all contenders cut them."""
    tokenizer = load_tokenizer(encoder, MAX_LENGTH)
    found = {}
    for task in tasks:
        examples = read_split(data, BUILTIN[task], "train").first(LOOKED_AT).examples
        sentences = [text for each in examples for text in (each.first, each.second) if text is not None]
        found[task] = fmean(map(len, tokenizer.encode(sentences))) * len(sentences) / len(examples)
    return found
