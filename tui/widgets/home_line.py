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
SAID_LAST = (State.FINISHED, State.CANCELLED)


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
        about = self._about_the_dashboard()
        of_all = [Span(f"{scale}  ", "dim")] if scale else []
        signs = {state: self._count(state, f"{numbers.count(count)}  ") for state, count in counts.items() if count}
        words = {state: self._count(state, f"{numbers.count(counts[state])} {state}  ") for state in signs}
        self.status = (*about, *of_all, *_in_order(words))
        open_ones = {state: spans for state, spans in signs.items() if state not in SAID_LAST}
        # The names of the tabs are worth more than what is the same on every day, and what is over.
        self.shorter = (
            (*about, *of_all, *_in_order(signs)), (*about, *_in_order(signs)), (*about, *_in_order(open_ones)),
            (*self._about_the_dashboard(short=True), *_in_order(open_ones)),
        )  # fmt: skip

    @staticmethod
    def _count(state: State, text: str) -> list[Span]:
        sign = "" if in_words() else f"{MARK_OF_STATE[state]} "
        return [Span(sign, STYLE_OF_STATE.get(state, "dim")), Span(text, "dim")]

    def count_marks(self) -> None:
        """Say anew how many runs are marked."""
        self.show_counts(self._counts, self._scale)

    def _about_the_dashboard(self, short: bool = False) -> list[Span]:
        """What changes the meaning of keys: that nothing can be written, and how many runs are marked."""
        dashboard = host_of(self)
        read_only = [Span("read-only  ", "bad")] if dashboard.is_read_only else []
        marked, word = len(dashboard.marked), "" if short else " marked"
        return [*read_only, *([Span(f"{MARK} {numbers.count(marked)}{word}  ", "mark")] if marked else [])]


def _in_order(counts: Mapping[State, list[Span]]) -> list[Span]:
    return [span for state in SHOWN for span in counts.get(state, ())]
