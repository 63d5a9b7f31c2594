"""Every error that a person can cause or must act on, as one tree.

A message is one sentence (or several, for several problems): what was expected, what was found, what to
type next. The front ends print it without a traceback and turn its class into an exit code; anything that
is not a `BertmtError` is a fault of this program and keeps its traceback.
"""

from collections.abc import Sequence


class BertmtError(Exception):
    """Base of all errors that are printed as a sentence."""


class UsageError(BertmtError):
    """The command line or a setting cannot be understood."""


class RecipeError(UsageError):
    """A recipe has one or more problems; all of them are reported together.

    Args:
        problems: one sentence per problem, in the order of the recipe's fields.
    """

    def __init__(self, problems: Sequence[str]):
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


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
