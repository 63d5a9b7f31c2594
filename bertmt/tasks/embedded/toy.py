"""The embedded data `toy`: small, graded, the same on every machine; made, not stored.

Sentiments, questions and scenes come from grammars of ours (`toy_sentiment.py`, `toy_questions.py`, `toy_scenes.py`)
with fixed seeds. No sentence stands twice in a task's data, so none of dev or test was seen in training. Classes, and
similarities from 0, 1, 2, 3 and 4 on, are equally frequent in every split. There is no label noise: what a model
misses, it has not understood.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial

from bertmt.tasks.embedded.dice import Dice
from bertmt.tasks.embedded.questions import different, paraphrase
from bertmt.tasks.embedded.scenes import scene_pair
from bertmt.tasks.embedded.sentiment import sentiment
from bertmt.tasks.examples import Example, Split
from bertmt.tasks.task import Task

SIZES = {"train": 2_000, "dev": 1_000, "test": 400}
EXTRA_PAIRS = 600

Draw = tuple[str, str | None, float]


def toy_split(task: Task, split: str) -> Split:
    """One split of the toy data of a task that has a grammar; test examples have no label, as in the course's files."""
    return _splits(task.name, task.grammar)[split]


def toy_extra_pairs(task: Task) -> Split:
    """Paraphrases beyond those of the splits, none of whose sentences stands there."""
    return _splits(task.name, task.grammar)["extra"]


@cache
def _splits(task: str, grammar: str) -> dict[str, Split]:
    """All splits of a task, drawn in one go so that no sentence comes twice."""
    dice = Dice(f"bertmt toy {task} 1")
    seen: set[str] = set()
    splits = {}
    for name, size in SIZES.items():
        wanted = dice.shuffled([number % (2 if grammar == "questions" else 5) for number in range(size)])
        draws = (_fresh(partial(_draw, dice, grammar, each), seen) for each in wanted)
        splits[name] = _split(task, name, draws, labelled=name != "test")
    if grammar == "questions":
        draws = (_fresh(partial(_duplicate, dice), seen) for _ in range(EXTRA_PAIRS))
        splits["extra"] = _split(task, "extra", draws, labelled=True)
    return splits


def _split(task: str, name: str, draws: Iterable[Draw], labelled: bool) -> Split:
    examples = (
        Example(f"{task}-{name}-{number}", first, second, label if labelled else None)
        for number, (first, second, label) in enumerate(draws)
    )
    return Split(task, name, tuple(examples))


def _draw(dice: Dice, grammar: str, wanted: int) -> Draw:
    """An example of the wanted class, or with a similarity from `wanted` up to the next whole number."""
    if grammar == "sentiment":
        return sentiment(dice, wanted), None, wanted
    if grammar == "questions":
        return *(paraphrase(dice) if wanted else different(dice)), wanted
    return scene_pair(dice, wanted)


def _duplicate(dice: Dice) -> Draw:
    return *paraphrase(dice, popular=False), 1


def _fresh(draw: Callable[[], Draw], seen: set[str]) -> Draw:
    """The first draw whose sentences are new and differ."""
    while True:
        first, second, label = draw()
        if first != second and first not in seen and second not in seen:
            seen.update({first} if second is None else {first, second})
            return first, second, label
