"""The run under the cursor at a glance: what it is at, its curves, its last scores, its last log line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from bertmt.drawing import numbers
from bertmt.drawing.facts import facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError
from bertmt.recipe.marks import changed_toggles
from bertmt.registry.records import Run
from bertmt.services.browse.alarms.rules import Alarm
from bertmt.services.browse.logs import read_log
from bertmt.services.browse.run_formatting import begins_anew, scale_line, value_text
from bertmt.services.browse.run_list import Group, Spread
from tui.formatting.run_signs import ALARM_SIGN, group_name, state_sign
from tui.formatting.run_standing import resilience_notes, standing
from tui.formatting.scores import FEW
from tui.registry_lane import Session
from tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from bertmt.drawing.charts.curves import Panel
    from tui.widgets.line_chart import LineChart

LOG_LINES = 4
LEAST_HEIGHT, ROOM_FOR_SCORES = 8, 12


@dataclass(frozen=True)
class Glimpse:
    """What is shown of a run; the speed is in steps per second."""

    run: Run
    panels: "Sequence[Panel]"
    log_lines: Sequence[str]
    alarms: Sequence[Alarm] = ()
    speed: float | None = None


def glimpse_of(session: Session, run: Run) -> Glimpse:
    """Read it; the curves from where they were read before."""
    from tui.formatting.run_panels import AT_A_GLANCE, panels_of, patterns  # noqa: PLC0415 - numpy: 0.1 s of every start

    curves = session.curves.update([run], patterns(AT_A_GLANCE))
    try:
        last = read_log(session.database, run, LOG_LINES)
    except BertmtError:  # not started yet, or its folder is gone
        last = []
    alarms = session.alarms.of([run]).get(run.id, ())
    speed = session.speeds.of([run]).get(run.id)
    return Glimpse(run, panels_of(curves, [run], AT_A_GLANCE), last, alarms, speed)


class Glance(Vertical):
    """Two or three lines about a run, and its charts between them."""

    DEFAULT_CSS = """
    Glance TextLines { height: auto; }
    Glance #charts { height: 1fr; }
    Glance LineChart { height: 1fr; width: 1fr; margin-right: 1; }
    Glance #words { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        yield TextLines(id="about")
        yield Horizontal(id="charts")
        yield TextLines(id="words")
        yield TextLines(id="last")

    _standing: Line = ()

    def on_mount(self) -> None:
        self._charts: list[LineChart] = []

    def show_group(self, group: Group) -> None:
        """Show what the seeds of a recipe come to."""
        self.show(None)
        run = group.rows[0].run
        self.query_one("#about", TextLines).show(
            lambda width: [cut_line(line(Span(group_name(group), "title")), width)]
        )
        titles = {name: safe_text(task.score_title) for name, task in run.tasks.items()} | {"overall": "overall"}
        spreads = {title: _spread_text(group.spreads[name]) for name, title in titles.items() if name in group.spreads}
        seeds = ", ".join(map(str, sorted({row.run.seed for row in group.rows})))
        pairs = {"seeds": seeds, **spreads, "method": _method(run), "scale": scale_line(run)}
        self.query_one("#words", TextLines).show(lambda width: facts(pairs, width))

    def show(self, glimpse: Glimpse | None, standing: Line = ()) -> None:
        """Show a run, or nothing; without points, in place of its curves, what it is or will be.

        Args:
            standing: how it stands against its baseline.
        """
        self._standing = standing
        about, words, last = (self.query_one(name, TextLines) for name in ("#about", "#words", "#last"))
        has_curves = glimpse is not None and bool(glimpse.panels)
        self.query_one("#charts").display, words.display = has_curves, not has_curves
        self._draw(glimpse.panels if glimpse is not None else ())
        if glimpse is None:
            for part in (about, words, last):
                part.show([])
            return
        about.show(
            lambda width: [
                *(cut_line(each, width) for each in (about_line(glimpse.run, glimpse.speed), self._standing) if each),
                *alarm_lines(glimpse.alarms, width),
            ]
        )
        words.show(lambda width: _words(glimpse, width))
        last.show(lambda width: self._last_lines(glimpse, width) if has_curves else [])

    def _draw(self, panels: "Sequence[Panel]") -> None:
        """A chart for each; the first are made when there is something to draw."""
        while len(self._charts) < len(panels):
            from tui.widgets.line_chart import LineChart  # noqa: PLC0415 - numpy: 0.1 s of every start

            chart = LineChart()
            chart.can_focus = False
            self._charts.append(chart)
            self.query_one("#charts").mount(chart)
        for chart, panel in zip_longest(self._charts, panels):
            chart.display = panel is not None
            chart.show([panel] if panel is not None else [])

    def _last_lines(self, glimpse: Glimpse, width: int) -> list[Line]:
        """The scores, where there is room to say again what the list says, and the last line of the log; where there
        is little room, that has gone to how the run stands against its baseline."""
        height = self.size.height
        scores = scores_line(glimpse.run) if height >= ROOM_FOR_SCORES else ()
        has_room = not self._standing or height > LEAST_HEIGHT
        log = line(Span(safe_text(glimpse.log_lines[-1]), "dim")) if glimpse.log_lines and has_room else ()
        return [cut_line(each, width) for each in (scores, log) if each]

    def show_standing(self, standing: Line) -> None:
        """How the run that is shown stands against its baseline is another, or known at last."""
        self._standing = standing
        self.query_one("#about", TextLines).remake()

    def on_resize(self) -> None:
        """How many lines the last part has goes by the height: made for another, they would take room from charts."""
        self.query_one("#last", TextLines).remake()


def about_line(run: Run, speed: float | None = None) -> Line:
    """Sign, name, id, seed, and what it is at, waits for, or why it ended.

    Args:
        speed: steps per second.
    """
    said: list[str | Span] = [Span(safe_text(f" {run.name}"), "title"), Span(f" {run.id} seed {run.seed}", "dim"), "  "]
    return line(state_sign(run), *said, standing(run, speed))


def alarm_lines(alarms: Sequence[Alarm], width: int) -> list[Line]:
    """Each alarm as a sentence, with the sign of one before its first line."""
    texts = [wrapped(safe_text(each.sentence), max(width - 2, 1)) for each in alarms]
    return [line(ALARM_SIGN if not place else " ", Span(f" {text}", "bad")) for each in texts
            for place, text in enumerate(each)]  # fmt: skip


def score_parts(run: Run) -> list[Line]:
    """The scores of the selected epoch in parts; behind a correlation its part in the overall score, S = (1 + ρ)/2.

    Of many tasks the overall score stands first, so that it is there where not all are.
    """
    if run.scores.selected_epoch is None or begins_anew(run):
        return []
    parts: list[Line] = []
    for name, task in run.tasks.items():
        score = run.score(name)
        if score is not None:
            unit = (Span("  S ", "dim"), numbers.score(task.unit(score))) if task.metric.signed else ()
            parts.append(line(Span(f"{safe_text(task.score_title)} ", "dim"), numbers.score(score), *unit))
    overall = run.score("overall")
    if overall is not None:
        place = 0 if len(run.tasks) > FEW else len(parts)
        parts.insert(place, line(Span("overall ", "dim"), Span(numbers.score(overall), "title")))
    epoch = Span(f"dev, epoch {run.scores.selected_epoch}:", "dim")
    return [line(epoch, "  ", *parts[0]), *parts[1:]] if parts else [line(epoch)]


def scores_line(run: Run) -> Line:
    """The scores of the selected epoch in one line; empty where there are none."""
    found: list[str | Span] = []
    for part in score_parts(run):
        found += [*(("  ",) if found else ()), *part]
    return line(*found)


def _words(glimpse: Glimpse, width: int) -> list[Line]:
    """Of a run without curves: its method, its scale, what a person wrote, and the end of its log."""
    run = glimpse.run
    pairs = {
        "method": _method(run),
        "scale": scale_line(run),
        "tags": " ".join(run.annotations.tags),
        "note": run.annotations.note,
        "resilience": "; ".join(resilience_notes(run)),
        "log": list(glimpse.log_lines),
    }
    return facts(pairs, width)


def _method(run: Run) -> str:
    changed = changed_toggles(run.recipe)
    return ", ".join(f"{name}={value_text(value)}" for name, value in changed.items()) or "the paper's baseline"


def _spread_text(spread: Spread) -> str:
    deviation = "" if spread.deviation is None else f" ± {numbers.score(spread.deviation)} (standard deviation)"
    return f"{numbers.score(spread.mean)}{deviation}, n = {spread.count}"
