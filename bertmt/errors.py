"""Every error that a person can cause or must act on, as one tree.

A message is one sentence (or several, for several problems): what was expected, what was found, what to
type next. The front ends print it without a traceback and turn its class into an exit code; anything that
is not a `BertmtError` is a fault of this program and keeps its traceback.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class BertmtError(Exception):
    """Base of all errors that are printed as a sentence."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The message, a sentence per problem."""
        return tuple(str(self).split("\n"))


class UsageError(BertmtError):
    """The command line or a setting cannot be understood."""


class RecipeError(UsageError):
    """A recipe, or what is asked for with it, has one or more problems; all of them are reported together.

    Args:
        problems: one sentence per problem, in the order of the recipe's fields.
    """

    def __init__(self, problems: Sequence[str]):
        super().__init__("\n".join(problems))


class DataError(UsageError):
    """A data file is missing, malformed, or differs from what a run was submitted with."""


class EncoderError(UsageError):
    """An encoder is not at hand, or is not one that this program may load."""


class NotFoundError(BertmtError):
    """No run, preset or file answers to the name that was given."""


class BusyError(BertmtError):
    """The state of a run, or a lock, forbids the request for now."""


class RegistryError(BertmtError):
    """The registry cannot be opened: missing, locked, damaged, newer, or on a network file system."""


class DamagedRegistryError(RegistryError):
    """The registry holds what no bertmt writes, or is no registry: waiting does not help, `bertmt repair` may."""


class MovedRegistryError(RegistryError):
    """The path of the registry leads to another file than the one that was opened, or to none."""


class RunFailedError(BertmtError):
    """A run that was waited for did not finish."""


def reason_of(problem: BaseException) -> str:
    """What went wrong, for brackets in a sentence: the system's words where it has some, else the error's own."""
    said = problem.strerror if isinstance(problem, OSError) else None
    return said or str(problem) or type(problem).__name__


class Problems:
    """Gathers what is wrong with one request, so that a person can mend it all before the next try."""

    def __init__(self) -> None:
        self._found: list[BertmtError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: BertmtError) -> None:
        """Remember an error instead of raising it."""
        self._found.append(problem)

    def attempt(self, step: Callable[..., T], *arguments: object) -> T | None:
        """What a step returns; None where it refuses what was asked for. Other errors are raised at once."""
        try:
            return step(*arguments)
        except (UsageError, NotFoundError) as problem:
            self.add(problem)
            return None

    def raise_all(self) -> None:
        """Raise `error`, where something was found."""
        if self._found:
            raise self.error()

    def error(self) -> BertmtError:
        """All that was found as one error, each sentence once; of its own class where that is one."""
        sentences = list(dict.fromkeys(sentence for problem in self._found for sentence in problem.problems))
        kinds = {type(problem) for problem in self._found}
        if len(kinds) > 1 or kinds == {RecipeError}:
            return RecipeError(sentences)
        return kinds.pop()("\n".join(sentences))
