"""A search as lines of text, for both front ends."""

from collections.abc import Sequence

from bertmt.comparison.held_out import Importance
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.drawing.tables import Column, Row, table
from bertmt.recipe.space import Axis, word_of
from bertmt.services.analysis.searching.looking import Looked, Tried
from bertmt.services.analysis.searching.plan import SearchPlan
from bertmt.services.analysis.searching.report import Listed, Report, is_pruned, sentences, summary

GONE = "deleted"
LEAST_TO_SAY = 0.1  # of the variance; less is as good as nothing with so few recipes


def recipe_table(report: Report, width: int | None) -> list[Line]:
    """The tried recipes, the best first: settings against scores."""
    plan = report.plan
    columns = [Column("#", True), Column("run"), Column("state"), Column("epochs", True)]
    columns += [Column(axis.name, True) for axis in plan.space]
    columns += [Column(title, True) for title in score_titles(plan)]
    rows = [Row(_cells(each, report)) for each in report.ranked]
    return table(columns, rows, width)


def score_titles(plan: SearchPlan) -> list[str]:
    """What the columns of scores are called: at the first pause, where there is one, and at the end."""
    return [*([f"score ep {plan.rungs[0]}"] if len(plan.rungs) > 1 else []), "score"]


def _cells(each: Tried, report: Report) -> list[str | Cell]:
    winner = report.winner
    is_best = winner is not None and winner.trial == each.trial
    state = state_of(each, report.looked, is_best)
    style = "good" if is_best else "dim" if state in ("pruned", GONE) else ""
    scores = [each.first.chosen_by] * (len(report.plan.rungs) > 1) + [each.halves.chosen_by]
    shown = [str(each.trial.number), each.run.id if each.run else each.trial.run, state, str(each.epochs)]
    shown += [word_of(each.trial.settings.get(axis.name)) for axis in report.plan.space]
    return [Cell(text, style) for text in (*shown, *map(numbers.score, scores))]


def state_of(each: Tried, looked: Looked, is_best: bool = False) -> str:
    """Where a tried recipe stands, in a word."""
    if is_best:
        return "best"
    if each.run is None:
        return GONE
    return "pruned" if is_pruned(each, looked) else str(each.run.state)


def importance_words(found: Importance) -> str:
    """How much of the scores goes with a setting, simply."""
    if found.rank_correlation is None and found.share is None:
        return f"not known from {numbers.counted(found.recipes, 'recipe')}"
    if found.share is not None:
        if found.share < LEAST_TO_SAY:
            return f"hardly matters (ε² {found.share:.2f}, {numbers.counted(found.recipes, 'recipe')})"
        return f"{numbers.percentage(found.share, 0)} of the variance lies between its values (ε²)"
    rank = found.rank_correlation or 0.0
    if rank**2 < LEAST_TO_SAY:
        return f"hardly matters (ρ {numbers.difference(rank, 2)}, {numbers.counted(found.recipes, 'recipe')})"
    return f"{'higher' if rank > 0 else 'lower'} values scored better (ρ {numbers.difference(rank, 2)})"


def importance_lines(report: Report, width: int) -> list[Line]:
    """A line per setting, the one that goes with most first."""
    return facts({name: importance_words(found) for name, found in report.importances.items()}, width)


def outcome_lines(report: Report, is_short: bool = False) -> list[str]:
    """What came of it, made safe; in one sentence, or all that is to be said."""
    return [safe_text(each) for each in ([summary(report)] if is_short else sentences(report))]


def list_table(found: Sequence[Listed], width: int | None) -> list[Line]:
    """All searches, the newest first."""
    columns = (Column("search"), Column("how"), Column("over", elastic=True), Column("recipes", True), Column("state"))
    rows = [
        Row(
            [
                each.search.name,
                how(each.plan),
                " ".join(each.plan.over),
                f"{each.tried:,}" + (f" of {each.search.runs:,}" if each.search.runs else ""),
                "goes on" if each.search.ended_at is None else "ended",
            ]
        )
        for each in reversed(found)
    ]
    return table(columns, rows, width)


def how(plan: SearchPlan) -> str:
    """Its strategy, and the sampler where that is not the usual one."""
    return plan.strategy if plan.sampler == "uniform" else f"{plan.strategy}, {plan.sampler}"


def axis_title(axis: Axis) -> Line:
    """What a chart of a setting stands under."""
    return line(Span(axis.name, "title"), Span(" (logarithmic)" if axis.is_log else "", "dim"))
