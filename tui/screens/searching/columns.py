"""The columns of the recipes that a search tried."""

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.recipe.space import word_of
from bertmt.services.analysis.searching.formatting import GONE, score_titles, state_of
from bertmt.services.analysis.searching.looking import Tried
from bertmt.services.analysis.searching.report import Report
from tui.widgets.tables.columns import Column

SETTING = "setting "  # before the name of a setting in a column's key
FIRST, LAST = "first", "last"


def columns_of(report: Report) -> tuple[Column, ...]:
    """A column per searched setting between what the run is and what it scores."""
    titles = score_titles(report.plan)
    scores = list(zip((FIRST, LAST) if len(titles) > 1 else (LAST,), titles, strict=True))
    meaning = "score on the half of dev that chooses" if report.plan.holds_out else "dev score"
    settings = [
        Column(SETTING + axis.name, axis.name.rpartition(".")[2], 9, rank=3, right=True, elastic=True, least=6)
        for axis in report.plan.space
    ]
    return (
        Column("number", "#", 3, rank=1, right=True, meaning="in the order in which they were drawn"),
        Column("run", "run", 6, rank=4, meaning="its id"),
        Column("state", "state", 8, rank=2, meaning="best, pruned, or the run's"),
        Column("epochs", "epochs", 6, rank=5, right=True, meaning="how far it was trained"),
        *settings,
        *(Column(key, title, max(7, len(title)), rank=2, right=True, meaning=meaning) for key, title in scores),
    )


def recipe_cell(each: Tried, column: Column, report: Report | None) -> Span:
    """The cell of a column for a tried recipe."""
    if report is None:
        return Span("")
    winner = report.winner
    is_best = winner is not None and winner.trial == each.trial
    state = state_of(each, report.looked, is_best)
    style = "good" if is_best else "dim" if state in ("pruned", GONE) else ""
    if column.key.startswith(SETTING):
        return Span(safe_text(word_of(each.trial.settings.get(column.key.removeprefix(SETTING)))), style)
    shown = {
        "number": str(each.trial.number), "run": each.trial.run, "state": state, "epochs": str(each.epochs),
        FIRST: numbers.score(each.first.chosen_by), LAST: numbers.score(each.halves.chosen_by),
    }  # fmt: skip
    return Span(safe_text(shown[column.key]), style)
