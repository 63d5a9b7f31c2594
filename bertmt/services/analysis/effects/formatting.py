"""Effects of toggles as a forest and in words, the same in every front end."""

from collections.abc import Sequence

from bertmt.comparison.effects import OVER_PAIRS, Effect
from bertmt.comparison.verdicts import Verdict
from bertmt.drawing import numbers
from bertmt.drawing.charts.forest import ForestGroup, ForestRow, draw_forest
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.services.analysis.effects.effects import Effects, ToggleEffect

MOST_NAMED = 6


def format_effects(found: Effects, width: int, ascii_only: bool = False) -> list[Line]:
    """Every effect with its interval in one plot."""
    scales = {each.matched.scale for each in found.toggles}
    groups = [
        ForestGroup(
            line(Span(title_of(each), "title"), Span(f"  {safe_text(each.matched.scale)}" * (len(scales) > 1), "dim")),
            [_row(effect, found) for effect in each.effects],
        )
        for each in found.toggles
        if each.effects
    ]
    return draw_forest(groups, width, ascii_only=ascii_only) if groups else []


def effect_sentences(found: Effects) -> list[str]:
    """What the forest shows in sentences: a line per toggle, then one per effect; safe for a screen."""
    said = []
    for each in found.toggles:
        if each.effects:
            said += [
                f"{title_of(each)}, {safe_text(each.matched.scale)}:",
                *(_told(one, found) for one in each.effects),
            ]
    return said


def _told(effect: Effect, found: Effects) -> str:
    row = _row(effect, found)
    parts = [f"{safe_text(row.name)}: {numbers.difference(row.difference)}"]
    if row.low is not None and row.high is not None:
        parts.append(f"interval {numbers.difference(row.low)} to {numbers.difference(row.high)}")
    if row.p is not None:
        parts.append(f"p {numbers.p_value(row.p)}")
    return ", ".join([*parts, *(part for part in (row.verdict, row.note) if part)]) + "."


def title_of(each: ToggleEffect) -> str:
    """The change and how many pairs there are of it; safe for a screen."""
    matched = each.matched
    counts = [numbers.counted(len(matched.pairs), "pair"), numbers.counted(matched.seeds, "seed")]
    counts.append(numbers.counted(matched.recipes, "recipe"))
    if len(matched.units) < len(matched.pairs):
        counts.insert(1, f"{numbers.counted(len(matched.units), 'sample')} since they share runs")
    more = f", {len(matched.lacking):,} more lacking one run" if matched.lacking else ""
    return safe_text(f"{matched.change.title}  ({', '.join(counts)}{more})")


def _row(effect: Effect, found: Effects) -> ForestRow:
    name = found.tasks[effect.task].score_title if effect.task in found.tasks else effect.task
    note = ""
    if effect.pairs < 2:
        note = "1 pair"
    elif effect.verdict is Verdict.UNDECIDED and effect.detectable:
        note = f"sees ≥ {numbers.score(effect.detectable)}"
    return ForestRow(
        name=name, difference=effect.difference, low=effect.low, high=effect.high, p=effect.p_corrected,
        verdict=str(effect.verdict) if effect.p is not None else "", note=note,
    )  # fmt: skip


def about(found: Effects) -> list[str]:
    """What the numbers hold for, in sentences; not yet safe for a screen."""
    every = [effect for each in found.toggles for effect in each.effects]
    tested = sum(effect.p is not None for effect in every)
    said = [
        f"Means over pairs of runs that differ in that toggle alone, of {numbers.counted(found.runs, 'run')}; pairs "
        "that share a run count as one. "
        "Intervals are for other seeds and other examples, not for recipes unlike these."
    ]
    if tested:
        said.append(
            f"p: Student's t, Holm's correction over {numbers.counted(tested, 'effect')}; undecided is not “no effect”."
        )
    if any(effect.test == OVER_PAIRS for effect in every):
        said.append("Where predictions are not stored, an interval is over pairs alone: it is for these dev examples.")
    if any(effect.pairs < 2 for effect in every):
        said.append("One pair has no interval here: `bertmt compare A B` judges it by its examples.")
    if found.left_out:
        more = numbers.counted(found.left_out, "change")
        said.append(f"{more} of fewer pairs left out: `bertmt effects --over QUERY` looks at fewer runs.")
    return said


def lacking_lines(found: Effects) -> list[str]:
    """Which runs would complete pairs; not yet safe for a screen."""
    lacking = found.lacking
    if not lacking:
        return []
    named = [f"{each.like.name} seed {each.seed}" for each in lacking[:MOST_NAMED]]
    more = f" and {len(lacking) - MOST_NAMED:,} more" if len(lacking) > MOST_NAMED else ""
    runs = numbers.counted(len(lacking), "run")
    return [f"{runs} would complete pairs: {', '.join(named)}{more}."]


def dim(sentences: Sequence[str], width: int | None) -> list[Line]:
    """Sentences in lines of a width."""
    return [(Span(part, "dim"),) for each in sentences for part in wrapped(safe_text(each), width)]
