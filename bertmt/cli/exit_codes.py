"""What the shell is told, by class of error."""

from enum import IntEnum

from bertmt.errors import BertmtError, BusyError, NotFoundError, RunFailedError, UsageError


class ExitCode(IntEnum):
    """The exit codes of `bertmt`."""

    FINE = 0
    FAILED = 1
    USAGE = 2  # the command line, a recipe, data or an encoder cannot be used
    NOT_FOUND = 3
    BUSY = 4  # the state of a run or a lock forbids it for now
    RUN_FAILED = 5  # a run that was waited for did not finish
    INTERRUPTED = 130
    READER_GONE = 141  # what a shell says of a tool that SIGPIPE ended


_BY_CLASS: dict[type[BertmtError], ExitCode] = {
    UsageError: ExitCode.USAGE,
    NotFoundError: ExitCode.NOT_FOUND,
    BusyError: ExitCode.BUSY,
    RunFailedError: ExitCode.RUN_FAILED,
}


def exit_code_of(problem: BertmtError) -> ExitCode:
    """The exit code of an error: that of its nearest class in the table, else 1."""
    return next((_BY_CLASS[kind] for kind in type(problem).__mro__ if kind in _BY_CLASS), ExitCode.FAILED)
