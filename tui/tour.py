"""`python -m tui.tour FOLDER --db PATH`: the pictures of docs/tour.md and README.md, made by the program itself.

It drives a dashboard by its keys, without a terminal, over a registry in which runs have finished.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot

from bertmt import paths
from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError, NotFoundError
from bertmt.services.upkeep.device_history import COLUMN_SECONDS
from tui.app import Dashboard
from tui.pictures import moving_svg, svg_of_pieces

SMALL, LARGE = (80, 24), (120, 40)


@dataclass(frozen=True)
class Stop:
    """A picture of the tour.

    Attributes:
        keys: from the list of runs to what is shown.
        filter: what the list is narrowed to first, so that the cursor is on a run worth showing.
        until: what has to be on screen before the picture is taken, where a process of its own answers.
        looks: so many more, two seconds apart: graphs of the machine need a past.
    """

    name: str
    keys: tuple[str, ...] = ()
    filter: str = ""
    size: tuple[int, int] = LARGE
    until: str = ""
    looks: int = 0


FINISHED = "state:finished final seed:0"
STOPS = (
    Stop("runs", filter="state:finished"),
    Stop("runs-small", filter="state:finished", size=SMALL),
    Stop("seeds", ("a", "j"), "state:finished"),
    Stop("curves", ("enter", "m", "m"), FINISHED),
    Stop("confusion", ("enter", "2"), FINISHED, until="predicted"),
    Stop("similarity", ("enter", "3"), FINISHED, until="best fit"),
    Stop("examples", ("enter", "4"), FINISHED, until="confidence"),
    Stop("recipe", ("enter", "5"), FINISHED),
    Stop("compare", ("g", "space", "space", "c"), "state:finished baseline,final seed:0", until="Differences"),
    Stop("marks", ("space", "space", "j", "space"), "state:finished"),
    Stop("queue", ("2",)),
    Stop("devices", ("4",), size=(120, 26), looks=30),
    Stop("data", ("5", "enter")),
    Stop("try", ("ctrl+t", *"not_a_bad_film".replace("_", " ")), FINISHED, until="word by word"),
    Stop("palette", ("ctrl+p", *"comp"), FINISHED, until="Compare"),
    Stop("new-run", ("n",), FINISHED),
    Stop("paper", ("3",)),
    Stop("help", ("question_mark",)),
)


# The animation of README.md: what a person looks at first.
FRAMES = ("runs", "curves", "confusion", "examples", "compare")
FRAME_SECONDS = 3.0
PATIENCE_SECONDS = 120.0  # for models that are loaded


async def until_idle(app: Dashboard, pilot: Pilot[None]) -> None:
    """Until everything that was started is on screen."""
    for _ in range(3):
        await pilot.pause()
        waiting = [worker for worker in app.workers if not worker.is_finished and worker.group != "act"]
        if waiting:
            await app.workers.wait_for_complete(waiting)
    await pilot.pause()


async def _until_there(app: Dashboard, pilot: Pilot[None], text: str) -> None:
    """Until a text is on screen.

    Raises:
        NotFoundError: it does not come.
    """
    last = time.monotonic() + PATIENCE_SECONDS
    while not any(text in "".join(piece for piece, _ in row) for row in _rows(app)):
        if time.monotonic() > last:
            raise NotFoundError(f"{text!r} did not come within {PATIENCE_SECONDS:g} s: has the run kept its model?")
        await pilot.pause(0.2)
    await until_idle(app, pilot)


async def picture(registry: Path, stop: Stop, theme: str = "") -> str:
    """One picture as SVG.

    Args:
        theme: as `--theme`; by default that of a dark terminal.
    """
    app = Dashboard(registry=registry, poll_seconds=0)
    if theme:
        app.begin_with_theme(theme)
    async with app.run_test(size=stop.size) as pilot:
        await app.look()
        await until_idle(app, pilot)
        if stop.filter:
            app.screen.set_filter(stop.filter)  # type: ignore[attr-defined]
            await until_idle(app, pilot)
        for key in stop.keys:
            await pilot.press("space" if key == " " else key)
            await until_idle(app, pilot)
        for _ in range(stop.looks):
            await asyncio.sleep(COLUMN_SECONDS)
            app.screen.reload()  # type: ignore[attr-defined]
            await until_idle(app, pilot)
        if stop.until:
            await _until_there(app, pilot, stop.until)
        return svg_of_pieces(_rows(app), app.current_theme)


def _rows(app: Dashboard) -> list[list[tuple[str, Style]]]:
    """What is on screen, in pieces."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    console = app.console
    segments = [segment for segment in console.render(update or "") if not segment.control]
    lines = Segment.split_lines(segments)
    return [[(segment.text, segment.style or Style()) for segment in line] for line in lines][: app.size.height]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tui.tour", description="Write the pictures of docs/tour.md.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--db", metavar="PATH", help="the registry; by default BERTMT_DB, else runs.db here or above")
    names = [stop.name for stop in STOPS]
    parser.add_argument("--only", metavar="NAME", choices=names, nargs="+", default=names, help="of these stops alone")
    options = parser.parse_args(arguments)
    registry = paths.registry_path(options.db)
    try:
        if not registry.exists():
            raise NotFoundError(f"No registry at {registry}; `make demo` makes one to show.")
        options.folder.mkdir(parents=True, exist_ok=True)
        pictures: dict[str, str] = {}
        for stop in (each for each in STOPS if each.name in options.only):
            try:
                pictures[stop.name] = asyncio.run(picture(registry, stop))
            except NotFoundError as problem:  # the others are made
                sys.stderr.write(f"{stop.name}: {safe_text(str(problem))}\n")
        if set(FRAMES) <= set(pictures):
            pictures["dashboard"] = moving_svg([pictures[name] for name in FRAMES], FRAME_SECONDS)
        for name, svg in pictures.items():
            (options.folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        return int(not set(options.only) <= set(pictures))
    except BertmtError as problem:
        sys.stderr.write(f"{safe_text(str(problem))}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
