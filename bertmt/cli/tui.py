"""`bertmt tui`."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from bertmt.cli import output
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import Ascii

Theme = Annotated[str | None, typer.Option("--theme", metavar="NAME", help="dark, light, ansi-dark, ansi-light …")]
FirstScreen = Annotated[
    str | None, typer.Option("--screen", metavar="NAME", help="runs, queue, paper, devices or data.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Words in place of signs and pictures, for screen readers.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Look around without changing anything.")]


def tui(
    context: typer.Context,
    theme: Theme = None,
    screen: FirstScreen = None,
    only_ascii: Ascii = False,
    plain: Plain = False,
    read_only: ReadOnly = False,
) -> None:
    """Open the dashboard, like `bertmt-tui`.

    Live curves, confusion matrices, the queue and the paper's figures; closing it stops no run and no worker.
    """
    command = ["--db", str(registry_path(context))]
    command += [word for flag, value in (("--theme", theme), ("--screen", screen)) if value for word in (flag, value)]
    wanted = {"--ascii": only_ascii, "--plain": plain, "--read-only": read_only}
    command += [flag for flag, is_wanted in wanted.items() if is_wanted]
    become_dashboard(command)


def become_dashboard(arguments: list[str]) -> NoReturn:
    """Let the dashboard take this process' place."""
    command = [sys.executable, "-m", "tui", *arguments]
    output.end()
    # The dashboard takes this process' place: the command line never imports it.
    os.execv(command[0], command)
