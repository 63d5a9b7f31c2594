"""`bertmt demo`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.compare import write_comparison
from bertmt.cli.parameters import Settings, assigned_settings
from bertmt.cli.tui import become_dashboard
from bertmt.drawing.safe_text import safe_text
from bertmt.services.browse.run_formatting import doing, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bertmt.registry.records import Run

Folder = Annotated[str, typer.Option("--dir", metavar="DIR", help="The demo's folder, made if it is missing.")]


def demo(context: typer.Context, folder: Folder = "bertmt-demo", settings: Settings = None) -> None:
    """Train and compare two small models in a folder of their own.

    The paper's baseline and its final model, on embedded data with an embedded encoder: nothing is downloaded, and it
    takes a few minutes on a CPU. In a terminal the dashboard opens on them at the end. After Ctrl-C the same command
    goes on.
    """
    from bertmt.errors import Problems
    from bertmt.services.opening import opened_registry
    from bertmt.services.upkeep import demo as demos

    problems = Problems()
    values = assigned_settings(problems, settings or ())
    problems.raise_all()
    path = demos.demo_registry(Path(folder).expanduser().absolute())
    database = context.with_resource(opened_registry(path))
    runs = demos.queue_demo(database, path.parent, values)
    _train(path, runs, folder)
    found = demos.outcome(database, runs)
    if found is None:
        _refuse(path)
    write_comparison(database, [[run] for run in runs], found)
    output.write_lines([safe_text(demos.in_words(found))])
    _open_dashboard(path, runs)


def _train(path: Path, runs: "Sequence[Run]", folder: str) -> None:
    """Work what has not finished, and tell how far it is.

    Raises:
        Exit: it was stopped.
    """
    from bertmt.services.lifecycle.workers import work_until_empty
    from bertmt.services.upkeep.demo import told_of_progress

    if all(run.state == "finished" for run in runs):
        return
    names = " and ".join(safe_text(run.name) for run in runs)
    diagnostics.note(f"The demo is in {path.parent}: {names} are trained there; Ctrl-C stops it, and nothing is lost.")
    output.end()
    with told_of_progress(path, _teller()):
        code = work_until_empty(path)
    if code:
        again = "bertmt demo" if folder == "bertmt-demo" else f"bertmt demo --dir {safe_text(folder)}"
        diagnostics.note(f"Stopped; `{again}` goes on from there.")
        raise typer.Exit(code)


def _teller() -> "Callable[[Run], None]":
    """Tells of each run once for each tenth of it."""
    told: dict[str, int] = {}

    def tell(run: "Run") -> None:
        tenth = int(10 * (run.share_done or 0))
        if told.get(run.id) != tenth:
            told[run.id] = tenth
            diagnostics.note(f"{safe_text(run.name)} {progress(run)}: {doing(run)}")

    return tell


def _refuse(path: Path) -> NoReturn:
    from bertmt.errors import RunFailedError

    raise RunFailedError(f"The demo's runs have not all finished; `bertmt runs --db {path}` tells why.")


def _open_dashboard(path: Path, runs: "Sequence[Run]") -> None:
    """In a terminal the dashboard takes this process' place; elsewhere it is said what to type next."""
    if sys.stdin.isatty() and output.is_terminal():
        become_dashboard(["--db", str(path)])
    last = runs[-1].id
    diagnostics.note(f"Next, in {path.parent}: `bertmt-tui`, `bertmt runs`, `bertmt confusion {last}`,")
    diagnostics.note(f'`bertmt predict {last} "a lovely film"`; `bertmt init --help` is about your own data.')
