"""The command line as one Typer app: every command, in the order in which `bertmt --help` lists them."""

import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.average import average
from bertmt.cli.backup import backup
from bertmt.cli.baseline import baseline
from bertmt.cli.compare import compare
from bertmt.cli.confusion import confusion
from bertmt.cli.control import cancel, pause, requeue, resume, rm
from bertmt.cli.curves import curves
from bertmt.cli.demo import demo
from bertmt.cli.doctor import doctor
from bertmt.cli.edit import edit
from bertmt.cli.effects import effects
from bertmt.cli.export import export
from bertmt.cli.fetch import fetch
from bertmt.cli.find import find
from bertmt.cli.flips import flips
from bertmt.cli.gc import gc
from bertmt.cli.import_predictions import import_predictions
from bertmt.cli.import_run import import_run
from bertmt.cli.init import init
from bertmt.cli.logs import logs
from bertmt.cli.notes import note, rename, tag
from bertmt.cli.notify import notify
from bertmt.cli.order import hold, move, release
from bertmt.cli.paper import paper
from bertmt.cli.predict import predict
from bertmt.cli.presets import presets
from bertmt.cli.queue import queue
from bertmt.cli.recipe import recipe
from bertmt.cli.repair import repair
from bertmt.cli.report import report
from bertmt.cli.restore import restore
from bertmt.cli.runs import runs
from bertmt.cli.search import search, searches
from bertmt.cli.show import show
from bertmt.cli.slices import slices
from bertmt.cli.task import task
from bertmt.cli.trying import try_
from bertmt.cli.tui import tui
from bertmt.cli.verify_resume import verify_resume
from bertmt.cli.wait import wait
from bertmt.cli.worker import worker, workers
from bertmt.services.upkeep.ownership import new_notices
from bertmt.version import __version__

COMMANDS: tuple[Callable[..., Any], ...] = (
    demo, init, fetch, doctor, presets, recipe, queue, search, searches, worker, workers, tui, runs, show, find, logs,
    curves, confusion, wait, baseline, compare, flips, slices, effects, paper, report, cancel, pause, resume, requeue,
    rm,
    restore, hold, release, move, edit, rename, note, tag, average, predict, try_, export, verify_resume, notify,
    backup, import_run, import_predictions, gc, repair,
)  # fmt: skip

# Markup stays off: names and sentences from data could be markup by accident or on purpose.
app = typer.Typer(name="bertmt", rich_markup_mode=None, pretty_exceptions_enable=False)
for _command in COMMANDS:
    app.command(_command.__name__.strip("_").replace("_", "-"))(_command)  # `try` is a word of Python's
app.add_typer(task)


def _show_version(wanted: bool) -> None:
    if wanted:
        output.write_lines([f"bertmt {__version__}"])
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]
Registry = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="FILE", help="The registry; by default BERTMT_DB, else runs.db in this or a parent folder."
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of every error.")]
NoColour = Annotated[bool, typer.Option("--no-color", help="Plain text, as with NO_COLOR.")]


@app.callback(invoke_without_command=True, epilog="--db, --debug and --no-color may also follow the command.")
def bertmt_command(
    context: typer.Context, version: Version = False, db: Registry = None, debug: Debug = False,
    no_color: NoColour = False,
) -> None:  # fmt: skip
    """Queue, train, follow and compare runs of a multitask BERT, and see honestly which idea helped."""
    if no_color:
        os.environ["NO_COLOR"] = "1"  # children and workers that this command starts heed it too
    for notice in new_notices(db):
        diagnostics.warn(notice)
    if context.invoked_subcommand is None:
        output.write_lines(context.get_help().splitlines())
