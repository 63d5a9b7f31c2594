"""The first line of the first screens: which one this is, and how many runs are in which state."""

from collections.abc import Mapping

from bertmt.drawing import numbers
from bertmt.drawing.styled import Span
from bertmt.registry.states import State
from tui.formatting.run_signs import MARK_OF_STATE, STYLE_OF_STATE
from tui.host import host_of
from tui.plain.words import in_words
from tui.widgets.tab_line import TabLine
from tui.widgets.tables.marking import MARK

# In the order in which a person wants to know of them; every state has its place.
SHOWN = (
    State.RUNNING, State.QUEUED, State.HELD, State.PAUSED, State.FINISHED, State.FAILED, State.LOST, State.CANCELLED,
)  # fmt: skip


class HomeLine(TabLine):
    """Runs, Queue, Paper, Devices, Data."""

    MODES = ("runs", "queue", "paper", "devices", "data")

    def __init__(self, mode: str):
        super().__init__(
            ("Runs", "Queue", "Paper", "Devices", "Data"), self.MODES.index(mode), (Span("bertmt", "title"),)
        )
        self._counts: Mapping[State, int] = {}
        self._scale = ""

    def show_counts(self, counts: Mapping[State, int], scale: str = "") -> None:
        """How many runs are in each state that has some.

        Args:
            scale: the data and the encoder of all runs that are listed; "" where they differ.
        """
        self._counts, self._scale = counts, scale
        spans: list[Span] = []
        short: list[Span] = []
        for state in SHOWN:
            if counts.get(state):
                sign = Span("" if in_words() else f"{MARK_OF_STATE[state]} ", STYLE_OF_STATE.get(state, "dim"))
                spans += [sign, Span(f"{numbers.count(counts[state])} {state}  ", "dim")]
                short += [sign, Span(f"{numbers.count(counts[state])}  ", "dim")]
        about = [*self._about_the_dashboard(), *([Span(f"{scale}  ", "dim")] if scale else [])]
        self.status, self.short_status = (*about, *spans), (*about, *short)

    def count_marks(self) -> None:
        """Say anew how many runs are marked."""
        self.show_counts(self._counts, self._scale)

    def _about_the_dashboard(self) -> list[Span]:
        """What changes the meaning of keys: that nothing can be written, and how many runs are marked."""
        dashboard = host_of(self)
        read_only = [Span("read-only  ", "bad")] if dashboard.is_read_only else []
        marked = len(dashboard.marked)
        return [*read_only, *([Span(f"{MARK} {numbers.count(marked)} marked  ", "mark")] if marked else [])]
