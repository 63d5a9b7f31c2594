"""What the run at the cursor predicted last, where the list leaves room: its confusion, and what it gets wrong."""

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.geometry import Size

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span, cut, line
from bertmt.registry.records import Run
from tui.host import host_of
from tui.registry_lane import Session
from tui.widgets.frame import name_frame
from tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from bertmt.services.analysis.examples import ExampleTable
    from tui.screens.runs.predictions import Predictions

PAUSE_SECONDS = 0.25  # of the cursor, before anything is read: a list is gone through without waiting
ROOMY = Size(160, 45)  # cells of the screen from which on there is room below the curves


class PredictedPane(TextLines):
    """Both, one below the other."""

    DEFAULT_CSS = "PredictedPane { padding: 0 1; }"
    table: "ExampleTable | None" = None
    run: Run | None = None

    def take_room(self, size: Size) -> None:
        """Be there where the screen is large enough."""
        self.set_class(size.width < ROOMY.width or size.height < ROOMY.height, "hidden")
        self._read()

    def follow(self, run: Run | None) -> None:
        """Show the predictions of a run, once this is not called again for a while."""
        self.run = run
        self._read()

    @work(exclusive=True, group="predictions")
    async def _read(self) -> None:
        if self.has_class("hidden"):
            return
        await asyncio.sleep(PAUSE_SECONDS)
        host, run, like, found = host_of(self), self.run, self.table, None
        if run is not None:
            found = await host.attempt(host.ask(lambda session: _read_now(session, run, like), slow=True))
        self.show_predictions(found)

    def show_predictions(self, found: "Predictions | None") -> None:
        """Replace them; None leaves the pane empty."""
        if found is None or found.table is None:
            problem = "" if found is None else safe_text(found.problem)
            name_frame(self, "Predictions")
            self.show(lambda width: [line(Span(cut(problem, width), "dim"))])
            return
        from tui.screens.runs.predictions import prediction_lines  # noqa: PLC0415

        table = self.table = found.table
        when = f"epoch {table.epoch}" if table.step is None else f"now, step {numbers.count(table.step)}: partial"
        name_frame(self, f"{table.about.title} of {table.run.id}, {when}")
        self.show(lambda width: prediction_lines(table, found.chosen, width))


def _read_now(session: Session, run: Run, like: "ExampleTable | None") -> "Predictions":
    """On a thread of the registry."""
    from tui.screens.runs.predictions import read_predictions  # noqa: PLC0415 - numpy: 0.1 s of every start

    return read_predictions(session, run, like)
