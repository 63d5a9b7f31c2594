"""What was found, and where it stands."""

from dataclasses import dataclass
from enum import StrEnum

from bertmt.registry.records import Run

BEFORE = 30  # characters of a line that are kept before what was looked for
LONGEST = 240  # characters of a line that are kept


class Where(StrEnum):
    """What a text was found in; the value is the word that people read."""

    NAME = "name"
    ID = "id"
    PRESET = "preset"
    TAG = "tag"
    NOTE = "note"
    FAILURE = "failure"
    SENTENCE = "sentence"
    LOG = "log"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One line of one run that holds what was looked for.

    Attributes:
        text: the line, or what of it is about the place; as it was written, not yet safe.
        attempt, offset, line: of a log: whose, the byte at which the line begins, and its number from 1; 0: unknown.
        task, example: of a sentence: its task, and which of the task's dev examples it is, from 0.
        others: how many more runs predicted the sentence.
    """

    run: Run
    where: Where
    text: str
    attempt: int = 0
    offset: int = 0
    line: int = 0
    task: str = ""
    example: int = 0
    others: int = 0


def line_about(text: str, wanted: str) -> str:
    """A line, or where it is long what of it is about a casefolded text that it holds."""
    if len(text) <= LONGEST:
        return text
    begin = max(0, text.casefold().find(wanted) - BEFORE)
    return ("…" if begin else "") + text[begin : begin + LONGEST] + ("…" if begin + LONGEST < len(text) else "")
