"""The embedded data `toy`: small, graded, the same on every machine; made, not stored.

Sentiments, questions and scenes come from grammars of ours (`toy_sentiment.py`, `toy_questions.py`,
`toy_scenes.py`) with fixed seeds. No sentence stands twice in a task's data, so none of dev or test was seen in training.
Classes, and similarities from 0, 1, 2, 3 and 4 on, are equally frequent in every split. There is no label noise: what a model misses, it has not understood.
"""

from collections.abc import Callable
from functools import cache

from bertmt.tasks.examples import Example, Split
from bertmt.tasks.toy_dice import Dice
from bertmt.tasks.toy_questions import different, paraphrase
from bertmt.tasks.toy_scenes import scene_pair
from bertmt.tasks.toy_sentiment import sentiment

SIZES = {"train": 2_000, "dev": 1_000, "test": 400}
EXTRA_PAIRS = 600

Draw = tuple[str, str | None, float]


def toy_split(task: str, split: str) -> Split:
    """One split of the toy data; test examples have no label, as in the course's files."""
    return _splits(task)[split]


def toy_extra_pairs() -> Split:
    """Paraphrases beyond those of the splits, none of whose sentences stands there."""
    return _splits("para")["extra"]


@cache
def _splits(task: str) -> dict[str, Split]:
    """All splits of a task, drawn in one go so that no sentence comes twice."""
    dice = Dice(f"bertmt toy {task} 1")
    seen: set[str] = set()
    splits = {}
    for name, size in SIZES.items():
        examples = []
        for number, draw in enumerate(_draws(dice, task, size)):
            first, second, label = _fresh(draw, seen)
            examples.append(Example(f"{task}-{name}-{number}", first, second, None if name == "test" else label))
        splits[name] = Split(task, name, tuple(examples))
    if task == "para":
        pairs = (_fresh(lambda: (*paraphrase(dice, popular=False), 1), seen) for _ in range(EXTRA_PAIRS))
        extra = (Example(f"para-extra-{number}", *pair) for number, pair in enumerate(pairs))
        splits["extra"] = Split("para", "extra", tuple(extra))
    return splits


def _draws(dice: Dice, task: str, size: int) -> list[Callable[[], Draw]]:
    """One way to draw each example of a split: classes in equal numbers, in random order."""
    if task == "sst":
        classes = dice.shuffled([number % 5 for number in range(size)])
        return [lambda wanted=wanted: (sentiment(dice, wanted), None, wanted) for wanted in classes]
    if task == "para":
        classes = dice.shuffled([number % 2 for number in range(size)])
        return [lambda wanted=wanted: (*(paraphrase if wanted else different)(dice), wanted) for wanted in classes]
    bands = dice.shuffled([number % 5 for number in range(size)])
    return [lambda band=band: scene_pair(dice, band) for band in bands]


def _fresh(draw: Callable[[], Draw], seen: set[str]) -> Draw:
    """The first draw whose sentences are new and differ."""
    while True:
        first, second, label = draw()
        if first != second and first not in seen and second not in seen:
            seen.update({first} if second is None else {first, second})
            return first, second, label
