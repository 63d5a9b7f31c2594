"""Contenders as processes that are asked one after the other."""

import json
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench.training.contenders import Order

LAST_WORDS = 2_000  # characters


class ContenderProcess:
    """A contender's process; as a context manager it ends with the context.

    Attributes:
        missing: a sentence: which package it lacks; "": none.
        first: what its first step told: threads, precision, loss, and `seconds` from the start of the process to its
            end.
    """

    def __init__(self, order: Order):
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        start = time.monotonic()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "bench.training.contender_process", order.text()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        try:
            self.first = self._answer()
        except BaseException:
            self.end()
            raise
        self.missing = str(self.first.get("missing", ""))
        if not self.missing:
            self.first["seconds"] = self.first["at"] - start

    def ask(self, question: str, **given: Any) -> dict[str, Any]:
        """Have it do something, and wait for its answer.

        Raises:
            RuntimeError: it has ended.
        """
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"ask": question, **given}) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            code = self._child.wait()
            raise RuntimeError(f"A contender's process ended with {code}: {self._last_words()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def _last_words(self) -> str:
        self._said.seek(0)
        return self._said.read().decode(errors="replace")[-LAST_WORDS:]

    def end(self) -> None:
        """Let it go."""
        if self._child.stdin is not None and not self._child.stdin.closed:
            self._child.stdin.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._said.close()

    def __enter__(self) -> "ContenderProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
