"""What more seeds would tell, in words, the same in every front end."""

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.services.analysis.groups.more_seeds import LOOK_ONCE, MoreSeeds


def format_more_seeds(wanted: MoreSeeds, width: int | None, how: str) -> list[Line]:
    """A line for each undecided score, then the runs that lack with their time; nothing where all is decided.

    Args:
        how: a sentence that says how they are queued.
    """
    if not wanted.wanted:
        return []
    lines: list[Line] = [(Span("What more seeds would tell", "title"),)]
    summary = f"{wanted.summary} {how} {LOOK_ONCE}" if wanted.lacking else wanted.summary
    for sentence in (*wanted.sentences, summary):
        first, *rest = wrapped(safe_text(sentence), width - 2 if width else None)
        lines += [(Span(f"· {first}"),), *((Span(f"  {part}"),) for part in rest)]
    return lines
