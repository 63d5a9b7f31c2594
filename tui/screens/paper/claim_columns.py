"""The columns of the paper's claims with what our runs say of them."""

from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.tasks.builtin import BUILTIN
from tui.widgets.tables.columns import WIDE, Column

if TYPE_CHECKING:
    from bertmt.services.analysis.paper.claims import JudgedClaim

STYLES = {"confirmed": "good", "contradicted": "bad"}
COLUMNS = (
    Column("section", "section", 11, rank=5, least=7, meaning="of the paper"),
    Column("claim", "claim", 25, rank=1, meaning="its name in docs/paper.md"),
    Column("score", "score", 9, rank=3, meaning="whose score it is about"),
    Column("paper", "paper", 6, rank=3, right=True, meaning="the difference that the paper has, often confounded"),
    Column("ours", "ours", 6, rank=2, right=True, meaning="ours, one toggle changed; of several pairs the least"),
    Column("interval", "95 %", 16, rank=6, from_width=WIDE - 12, meaning="its interval over seeds"),
    Column("seeds", "seeds", 6, rank=4, right=True, meaning="paired ones; of how many that can decide"),
    Column("verdict", "verdict", 17, rank=1, meaning="what our pairs say of it"),
    Column("sentence", "the paper says", 30, rank=7, elastic=True, from_width=WIDE - 12, meaning="the claim"),
)


def claim_cell(judged: "JudgedClaim", column: Column) -> Span:
    """The cell of a column for a claim."""
    claim = judged.claim
    match column.key:
        case "section":
            return Span(claim.section, "dim")
        case "claim":
            return Span(claim.id)
        case "score":
            return Span(", ".join(BUILTIN[task].title for task in claim.tasks), "dim")
        case "paper":
            known = [each for pair in judged.paper for each in pair.reported if each is not None]
            return Span(numbers.difference(min(known, key=abs) if known else None), "dim")
        case "ours" | "interval":
            return _ours(judged, column.key)
        case "seeds":
            return _seeds(judged)
        case "verdict":
            return Span(str(judged.outcome), STYLES.get(str(judged.outcome), "dim"))
        case _:
            return Span(safe_text(claim.sentence), "dim")


def _ours(judged: "JudgedClaim", kind: str) -> Span:
    """Of several pairs or scores the one that says the least for the claim."""
    sign = 1 if judged.claim.says == "higher" else -1
    known = [each for pair in judged.own for each in pair.differences if each.difference is not None]
    least = min(known, key=lambda each: sign * (each.difference or 0.0), default=None)
    if least is None:
        return Span(numbers.MISSING if kind == "ours" else "", "dim")
    return Span(numbers.difference(least.difference) if kind == "ours" else numbers.interval(least.low, least.high))


def _seeds(judged: "JudgedClaim") -> Span:
    if judged.seeds >= judged.seeds_needed:
        return Span(numbers.count(judged.seeds))
    return Span(f"{judged.seeds} of {judged.seeds_needed}", "dim")
