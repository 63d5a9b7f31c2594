"""The entry point: runs the command line and turns every error into a sentence and an exit code."""

import re
import sys
from collections.abc import Sequence

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.exit_codes import ExitCode, exit_code_of
from bertmt.errors import BertmtError

# May stand before and behind the command's name alike.
GLOBAL_FLAGS = ("--debug", "--no-color")
GLOBAL_OPTION = "--db"
LONGEST_MESSAGE = 500  # characters of what the parser says
# What the parser says of values, in words that say less of the parser.
_PARSERS_WORDS = (
    (re.compile(r"Input should be a valid integer.*"), "it must be a whole number"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"it must be at least \1"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"it must be at most \1"),
    (re.compile(r"Value error, "), ""),
)


def main() -> None:
    """`bertmt`."""
    output.begin()
    diagnostics.begin()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; its exit code."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer exits with 1 where writing raises it
            return _reader_gone()
        raise


def _run(arguments: Sequence[str]) -> int:
    from bertmt.cli.app import app

    options, rest = split_global_options(arguments)
    try:
        code = typer.main.get_command(app).main([*options, *rest], prog_name="bertmt", standalone_mode=False)
        output.end()
        return int(code or ExitCode.FINE)
    except typer.TyperException as problem:
        return _report_usage(problem)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as problem:
        return _report(problem, "--debug" in options)


def _reader_gone() -> int:
    """The reader has left, as in `bertmt runs | head -1`, which is no error of anybody's."""
    output.abandon()
    diagnostics.abandon()
    return ExitCode.READER_GONE


def _report(problem: Exception, debug: bool) -> int:
    """Our own errors as their sentence; all else is a fault of this program and keeps its traceback."""
    is_ours = isinstance(problem, BertmtError)
    if debug or not is_ours:
        import traceback

        diagnostics.write_traceback("".join(traceback.format_exception(problem)))
    diagnostics.report(str(problem) if is_ours else "This is a fault of bertmt; please report it with the lines above.")
    return exit_code_of(problem) if isinstance(problem, BertmtError) else ExitCode.FAILED


def split_global_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The global options of a command line, wherever they stand before `--`, and the rest; nothing else where --db has
    no value, which is then what the parser says."""
    options: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return options, [*rest, word, *words]
        if word == GLOBAL_OPTION:
            value = next(words, None)
            if value is None:
                return [word], []
            options += [word, value]
        elif word in GLOBAL_FLAGS or word.startswith(GLOBAL_OPTION + "="):
            options.append(word)
        else:
            rest.append(word)
    return options, rest


def _report_usage(problem: typer.TyperException) -> int:
    """What the parser cannot understand."""
    context = getattr(problem, "ctx", None)
    command = context.command_path if context is not None else "bertmt"
    message = problem.format_message().rstrip(".")
    for pattern, words in _PARSERS_WORDS:
        message = pattern.sub(words, message)
    if len(message) > LONGEST_MESSAGE:  # it quotes what was typed
        message = message[:LONGEST_MESSAGE] + "…"
    message += " " if message.endswith("?") else "; "
    diagnostics.report(f"{message}`{command} --help` tells what can be typed.")
    return ExitCode(problem.exit_code)
