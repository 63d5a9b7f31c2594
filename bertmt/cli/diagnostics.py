"""The only module that writes to stderr: notes, warnings and errors, each a sentence."""

import os
import sys
from pathlib import Path

from bertmt.drawing.safe_text import safe_text


def note(*sentences: str) -> None:
    """What a person should know, a line each; it is no problem."""
    for sentence in sentences:
        _write(sentence)


def warn(sentence: str) -> None:
    """What a person should look at."""
    _write(f"Warning: {sentence}")


def report(sentence: str) -> None:
    """Why a command failed; of several sentences each has its line."""
    for each in sentence.split("\n"):
        _write(f"bertmt: {each}")


def is_interactive() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(question: str) -> bool:
    """A yes-or-no question on the terminal."""
    sys.stderr.write(safe_text(f"{question} [y/N] "))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def write_traceback(text: str) -> None:
    """A traceback, whose messages may quote anything."""
    _write(text.rstrip("\n"))


def begin() -> None:
    """If the process was started without a stderr (`2>&-`), discard what is written to it; called once."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process


def abandon() -> None:
    """Let nothing more be written, not even at the exit, where nobody reads it."""
    try:
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _write(text: str) -> None:
    # What stdout holds back would otherwise come behind what is said about it.
    sys.stdout.flush()
    encoding = sys.stderr.encoding or "ascii"
    shown = safe_text(text, keep_newlines=True).encode(encoding, "replace").decode(encoding)
    sys.stderr.write(shown + "\n")
    sys.stderr.flush()
