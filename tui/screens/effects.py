"""Which toggle helps: the average effects over all matched pairs of runs, as a forest."""

from collections.abc import Hashable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.facts import wrapped
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.sentences import sentence_page
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError, RegistryError
from bertmt.services.analysis.effects.effects import Effects, effects_of, lacking_plan
from bertmt.services.analysis.effects.formatting import (
    about,
    dim,
    effect_sentences,
    format_effects,
    lacking_lines,
)
from bertmt.services.plan.estimates import estimate
from bertmt.services.plan.submit import Plan, submit
from tui.bindings import key
from tui.dialogs.question import Question
from tui.plain.words import in_words
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.undoing import queued, remember
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.text_lines import TextLines


class EffectsScreen(DashboardScreen):
    """The forest, what it holds for, and which runs would complete further pairs."""

    SUBJECT = "effects of toggles"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "A pair is two finished runs of the same seed, encoder, budget and data whose recipes differ in one toggle "
        "alone. Each row is the mean difference over all pairs of a toggle.",
        "Intervals are for other seeds and other examples; p values hold after Holm's correction over all that is "
        "shown, and undecided is not “no effect”. One pair has no interval.",
    )
    DEFAULT_CSS = """
    EffectsScreen #title { height: 1; background: $panel; }
    EffectsScreen Page { padding: 0 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "queue", "queue", "Queue the runs that would complete pairs; asks first.", "effects.queue",
            shown=True, display="^s"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._found: Effects | None = None
        self._problem = ""
        self._known: Hashable = None  # the runs that `_found` is of

    def compose(self) -> ComposeResult:
        yield TextLines(self._title, id="title")
        yield framed(Page(self._lines, id="effects"), "Average effects over matched pairs", first=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(Page).focus()

    async def load(self) -> None:
        known, found, problem = await self.dashboard.ask(lambda session: _read(session, self._known), slow=True)
        if known == self._known:
            return
        self._known, self._found, self._problem = known, found, problem
        self.query_one(Page).show(self._lines)
        self.query_one("#title", TextLines).remake()

    def _title(self, width: int) -> list[Line]:
        pairs = sum(len(each.matched.pairs) for each in self._found.toggles) if self._found is not None else 0
        counts = f"{counted(pairs, 'pair')} of {counted(self._found.runs, 'run')}" if self._found is not None else ""
        return [cut_line(line(" ", Span("which toggle helps", "title"), f"  {counts}"), width)]

    def _lines(self, width: int) -> list[Line]:
        if self._found is None:
            said = self._problem or "Looking for pairs …"
            return [(Span(part, "dim"),) for part in wrapped(safe_text(said), width)]
        if in_words():
            drawn = sentence_page(effect_sentences(self._found), width)
        else:
            drawn = format_effects(self._found, width, self.dashboard.ascii_only)
        return [*drawn, (), *dim([*about(self._found), *lacking_lines(self._found)], width)]

    @work(group="act")
    async def action_queue(self) -> None:
        """Queue what would complete pairs, once a person has seen how many runs and how long."""
        lacking = self._found.lacking if self._found is not None else ()
        if not lacking:
            self.dashboard.notify("Every pair has both runs, or what lacks is queued already.")
            return
        if not self.dashboard.may_write():
            return
        folder = self.dashboard.registry.parent

        def planned(session: Session) -> tuple[Plan, str]:
            made = lacking_plan(lacking, folder)
            return made, estimate(session.database, [each.recipe for each in made.runs]).sentence()

        ready = await self.dashboard.attempt(self.dashboard.ask(planned, slow=True))
        if ready is None:
            return
        made, takes = ready
        runs = counted(len(made.runs), "run")
        if await self.dashboard.ask_person(Question(f"Queue {runs} that would complete pairs?", [takes], "queue")):
            asked = self.dashboard.ask(lambda session: submit(session.database, made), slow=True)
            done = await self.dashboard.attempt(asked)
            if done is not None:
                self.dashboard.notify(f"Queued {counted(len(done), 'run')}.")
                remember(self.dashboard.done, queued(done))
                self.reload()


def _read(session: Session, known: Hashable) -> tuple[Hashable, Effects | None, str]:
    """On the registry's thread: the effects, if runs are others than before; or why there are none."""
    session.runs.refresh()
    runs = [row.run for row in session.runs.rows()]
    now = frozenset((run.key, run.state, run.scores.selected_epoch) for run in runs)
    if now == known:
        return known, None, ""
    try:
        return now, effects_of(session.database, runs), ""
    except RegistryError:
        raise
    except BertmtError as problem:
        return now, None, str(problem)
