"""Sentences of given lengths, as a folder in the CS224N format: words of an encoder's vocabulary, drawn at random."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from bertmt.encoders.find import find_encoder
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task

# Tokens of the course's training sentences, [CLS] and [SEP] included, with BERT's uncased vocabulary: the shortest, the
# first to the ninth decile, the longest.
COURSE_LENGTHS = {
    "sst": (4, 11, 15, 18, 21, 24, 27, 30, 35, 41, 80),
    "para": (3, 9, 11, 12, 13, 14, 15, 17, 20, 25, 91),
    "sts": (5, 8, 9, 10, 11, 12, 13, 16, 19, 26, 70),
}
Length = Callable[[random.Random], int]


def course_length(task: str) -> Length:
    """Lengths as the course's sentences of a task have them, by interpolation between the deciles."""
    deciles = COURSE_LENGTHS[task]

    def draw(dice: random.Random) -> int:
        place, rest = divmod(dice.random() * 10, 1)
        low, high = deciles[int(place)], deciles[int(place) + 1]
        return max(3, round(low + rest * (high - low)))

    return draw


def write_data(
    folder: Path, encoder: str, sizes: Mapping[str, int], length: Callable[[str], Length] = course_length, seed: int = 0
) -> Path:
    """Train, dev and test splits of all tasks; the folder.

    Args:
        sizes: examples by split, of each task.
        length: of a task's sentences in tokens, at least 3.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words, dice = words_of(encoder), random.Random(seed)
    for task in BUILTIN.values():
        draw = length(task.name)
        for split, size in sizes.items():
            rows = [_row(task, number, words, draw, dice) for number in range(size)]
            course = task.course
            assert course is not None
            header = "\t".join(("", "id", *course.sentences, course.label))
            text = "\n".join((header, *rows)) + "\n"
            (folder / f"{course.stem}-{split}.csv").write_text(text, encoding="utf-8")
    return folder


def words_of(encoder: str) -> list[str]:
    """Words that are one token each.

    Raises:
        ValueError: the vocabulary is no list of word pieces.
    """
    file = find_encoder(encoder).folder / "vocab.txt"
    if not file.is_file():
        raise ValueError(f"{file} is missing: generated sentences need an encoder with a list of word pieces.")
    pieces = file.read_text(encoding="utf-8").splitlines()
    return [piece for piece in pieces if piece.isascii() and piece.isalpha() and piece.islower()]


def _row(task: Task, number: int, words: list[str], draw: Length, dice: random.Random) -> str:
    sentences = [" ".join(dice.choices(words, k=draw(dice) - 2)) for _ in range(2 if task.pair else 1)]
    label = dice.randrange(len(task.classes)) if task.classes else round(5 * dice.random(), 2)
    return "\t".join((str(number), f"{task.name}{number}", *sentences, str(float(label) if task.pair else label)))
