"""A child that keeps the models of some runs in memory: asked line by line, heard on a thread of its own."""

import json
import threading
from collections.abc import Callable, Sequence

from bertmt.errors import BertmtError, UsageError, reason_of
from bertmt.launchers.prediction import TryingChild, start_trying
from bertmt.services.analysis.trying.runs import TriedRun
from bertmt.services.analysis.trying.said import Ended, Said, parse

MOST_CHARACTERS = 2000  # of a text, as the child has it too


class Conversation:
    """Starts the child; `close` ends it, and so does the end of this process.

    Args:
        hear: called with all that the child says, on another thread; not after `close`.

    Raises:
        BertmtError: it cannot be started.
    """

    def __init__(self, tried: Sequence[TriedRun], hear: Callable[[Said], None]):
        models = [
            {"run": each.run.id, "folder": str(model.folder), "allowed": model.allowed}
            for each in tried
            for model in each.models
        ]
        self._hear = hear
        self._is_closed = False
        self._number = 0
        self._writing = threading.Lock()
        try:
            self._child: TryingChild = start_trying()
        except OSError as problem:
            raise BertmtError(f"The child that answers cannot be started: {reason_of(problem)}.") from None
        self._write({"models": models})
        self._listener = threading.Thread(target=self._listen, name="answers", daemon=True)
        self._listener.start()

    def next_number(self) -> int:
        """The number of a question that is about to be asked."""
        with self._writing:
            self._number += 1
            return self._number

    def ask(self, first: str, second: str | None = None, words: bool = False, number: int | None = None) -> int:
        """Ask all runs; the number of the question. Whatever was asked before and is not answered yet may not be.

        Args:
            number: of `next_number`, which is asked for here if None.

        Raises:
            UsageError: a text is empty or too long.
        """
        check_text(first)
        if second is not None:
            check_text(second)
        number = self.next_number() if number is None else number
        self._write({"ask": number, "first": first, "second": second, "words": words})
        return number

    def close(self) -> None:
        """End the child, whatever it is doing; safe to repeat."""
        self._is_closed = True
        self._child.kill()
        if threading.current_thread() is not self._listener:
            self._listener.join()

    def _write(self, line: object) -> None:
        with self._writing:
            self._child.write(json.dumps(line).encode() + b"\n")

    def _listen(self) -> None:
        try:
            for line in self._child.lines():
                said = parse(line)
                if self._is_closed:
                    break
                self._hear(said)
            sentence = self._child.why_it_ended()
        except BertmtError as problem:
            self._child.kill()
            sentence = str(problem)
        self._child.end()
        if not self._is_closed:
            self._hear(Ended(sentence))


def check_text(text: str) -> None:
    """Refuse what no model is asked.

    Raises:
        UsageError: it is empty or too long.
    """
    if not text.strip():
        raise UsageError('A text to try must not be empty: `bertmt try RUN --sentence "a lovely film"`.')
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"A text to try may have {MOST_CHARACTERS:,} characters at most, not {len(text):,}.")
