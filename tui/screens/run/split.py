"""Two runs side by side: the same tab of both, and keys for one of them."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from bertmt.registry.records import Run
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.run.one_run import PANES, OneRun
from tui.screens.run.panes.scrubbing import ScrubPane
from tui.screens.run.screen import RunScreen
from tui.widgets.key_line import KeyLine
from tui.widgets.tab_line import TabLine


class SplitScreen(RunScreen):
    """Beside each other where there is room for that, else one above the other.

    Args:
        runs: two.
    """

    SUBJECT = "two runs side by side"
    DEFAULT_CSS = """
    SplitScreen #halves { height: 1fr; layout: vertical; }
    SplitScreen.-wide #halves, SplitScreen.-huge #halves { layout: horizontal; }
    SplitScreen OneRun { height: 1fr; width: 1fr; }
    SplitScreen OneRun #about { background: $panel; border-left: outer $panel; }
    SplitScreen OneRun.with-keys #about { border-left: outer $primary; }
    App:nocolor SplitScreen OneRun #about { border-left: blank; }
    App:nocolor SplitScreen OneRun.with-keys #about { border-left: heavy $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+w", "other", "other run", "Let keys go to the other run.", "split.other", shown=True, display="^w"),
    ]

    def __init__(self, runs: Sequence[Run]):
        super().__init__(runs[0])
        self.halves = [OneRun(run, has_keys=not place, beside=runs[1 - place].id) for place, run in enumerate(runs)]

    @property
    def GUIDE(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - the name of the attribute
        """Of the tab that is open."""
        return (
            f"Two runs, the same tab of both: {PANES[self.tab].TITLE}. Ctrl-W or a click lets keys go to the other; "
            "what can be done to runs is done to the one that has the keys, and c compares both.",
            *PANES[self.tab].GUIDE,
        )

    def compose(self) -> ComposeResult:
        yield TabLine([pane.TITLE for pane in PANES], self.tab)
        with Container(id="halves"):
            yield from self.halves
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_keys()

    def action_other(self) -> None:
        """Let keys go to the other run."""
        self._give_keys(next(each for each in self.halves if not each.has_keys))
        self.set_focus(None)
        self.half.take_keys()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Who clicks into a run wants to use keys there."""
        half = next((each for each in self.halves if each in event.widget.ancestors), None)
        if half is not None and not half.has_keys:
            self._give_keys(half)

    @on(ScrubPane.Moved)
    def _moved(self) -> None:
        """Both runs are shown at the same evaluation, over the same axis."""
        self.reload()

    def _give_keys(self, half: OneRun) -> None:
        for each in self.halves:
            each.has_keys = each is half
        self._show_keys()
        self.refresh_bindings()

    def _show_keys(self) -> None:
        for each in self.halves:
            each.set_class(each.has_keys, "with-keys")

    def leave_removed(self) -> None:
        """The other run stays."""

    def _compared(self, session: Session) -> list[Run]:
        return [each.run for each in self.halves]
