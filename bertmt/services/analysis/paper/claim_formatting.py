"""The paper's claims with what our runs say of them, as a table and one by one; the same in every front end."""

from collections import Counter
from collections.abc import Sequence

from bertmt.comparison.seeds import LEAST_TWO_WAY, SeedDifference
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell as Text
from bertmt.drawing.facts import wrapped
from bertmt.drawing.styled import Line, Span, line
from bertmt.drawing.tables import Column, Row, table
from bertmt.recipe.reported import Pair
from bertmt.services.analysis.paper.claims import JudgedClaim, JudgedPair, Outcome, comparisons_of
from bertmt.services.analysis.paper.formatting import differences_text, dim, title_of

STYLES = {Outcome.CONFIRMED: "good", Outcome.CONTRADICTED: "bad"}
WRONG_BY_CHANCE = 0.05  # of claims of which nothing is true, a share so large is decided all the same


def format_claims(found: Sequence[JudgedClaim], width: int | None) -> list[Line]:
    """A row per claim, its sentence below it."""
    columns = (
        Column("claim", elastic=True), Column("score"), Column("paper", True), Column("ours"), Column("seeds", True),
        Column("verdict"),
    )  # fmt: skip
    room = None if width is None else width - 2
    rows = []
    for each in found:
        *upper, last = claim_cells(each)
        names = [each.claim.id, *[""] * len(upper)]
        below = [line(f"  {part}") for part in wrapped(each.claim.sentence, room)]
        below += [line(Span(f"  {part}", "dim")) for part in wrapped(tested_by(each), room)]
        rows += [Row([name, *cells]) for name, cells in zip(names, upper, strict=False)]
        rows.append(Row([names[-1], *last], below))
    return table(columns, rows, width, gap=1 if width is not None and width <= 100 else 2)


def claim_cells(judged: JudgedClaim) -> list[list[str | Text]]:
    """Score, the paper's difference, ours, seeds and verdict: a row per pair and task, the verdict on the first."""
    verdict = Text(str(judged.outcome), STYLES.get(judged.outcome, "dim"))
    rows: list[list[str | Text]] = []
    for pair, beside in zip(judged.own, _papers(judged), strict=True):
        for place, task in enumerate(judged.claim.tasks):
            own = next((each for each in pair.differences if each.task == task), None)
            reported = beside.reported[place] if beside is not None else None
            rows.append([
                title_of(task), numbers.difference(reported), difference_text(own),
                _seeds(own, judged.seeds_needed), verdict if not rows else "",
            ])  # fmt: skip
    return rows


def _papers(judged: JudgedClaim) -> list[JudgedPair | None]:
    """The paper's pair beside each of ours."""
    if len(judged.paper) == len(judged.own):
        return list(judged.paper)
    return [*judged.paper[:1], *[None] * (len(judged.own) - 1)]


def difference_text(found: SeedDifference | None) -> str:
    """A difference with its 95 % interval; one seed has none."""
    if found is None:
        return numbers.MISSING
    if found.low is None:
        return numbers.difference(found.difference)
    return f"{numbers.difference(found.difference)} {numbers.interval(found.low, found.high)}"


def _seeds(found: SeedDifference | None, needed: int) -> str:
    """How many paired seeds there are, and of how many that could decide where these are fewer."""
    count = len(found.seeds) if found is not None else 0
    return f"{count}" if count >= needed else f"{count} of {needed}"


def tested_by(judged: JudgedClaim) -> str:
    """Our pair, and how the paper's own is confounded; not yet safe for a screen."""
    claim = judged.claim
    said = f"One toggle: {_named(claim.own)}."
    if not claim.confounded:
        return said
    if list(claim.paper) == list(claim.own):
        return f"{said} Also differs: {claim.confounded}."
    ours = "; ".join(
        f"{difference_text(each)} in {numbers.counted(len(each.seeds), 'seed')}"
        for pair in judged.paper
        for each in pair.differences
    )
    of_ours = f", of ours {ours}," if ours else ""
    return f"{said} The paper's {_named(claim.paper)}{of_ours} is confounded: {claim.confounded}."


def _named(pairs: Sequence[Pair]) -> str:
    first = pairs[0]
    others = numbers.named([pair.control.command() for pair in pairs], most=4)
    return f"{others} → {first.changed.command()}"


def format_claim(judged: JudgedClaim, width: int) -> list[Line]:
    """All about one claim: what our pairs and the paper's say, why it is undecided, and at which scale."""
    claim = judged.claim
    lines = [line(Span(part, "title")) for part in wrapped(f"{claim.sentence} (section {claim.section})", width)]
    lines += [
        line(Span(str(judged.outcome), STYLES.get(judged.outcome, "title")), f"  the paper says: {claim.says}"),
        (),
    ]
    lines += _pairs("Ours, one toggle", judged.own, judged.claim.tasks, width)
    if list(claim.paper) == list(claim.own):
        also = f" Also differs: {claim.confounded}." if claim.confounded else ""
        lines += dim([f"The paper's own pair is the same.{also}"], width)
    else:
        lines += [(), *_pairs("The paper's own pair", judged.paper, judged.claim.tasks, width)]
        lines += dim([f"Confounded: {claim.confounded}."] if claim.confounded else [], width)
    return [*lines, (), *dim(about_claim(judged), width)]


def _pairs(title: str, pairs: Sequence[JudgedPair], tasks: Sequence[str], width: int) -> list[Line]:
    """A table, each pair below its first row: two commands are too long for a column."""
    columns = (
        Column("score"), Column("paper", True), Column("ours"), Column("seeds", True), Column("p (Holm)", True),
        Column("verdict"),
    )  # fmt: skip
    rows = []
    for pair in pairs:
        named = f"{pair.pair.control.command()} → {pair.pair.changed.command()}"
        for place, task in enumerate(tasks):
            own = next((each for each in pair.differences if each.task == task), None)
            rows.append(Row([
                title_of(task), numbers.difference(pair.reported[place]), difference_text(own),
                str(len(own.seeds)) if own is not None else "0",
                numbers.p_value(own.p_corrected if own is not None else None),
                str(own.verdict) if own is not None and own.can_decide else numbers.MISSING,
            ], dim([f"  {named}"], width) if place == len(tasks) - 1 else ()))  # fmt: skip
    return [line(Span(title, "title")), *table(columns, rows, width)]


def about_claim(judged: JudgedClaim) -> list[str]:
    """Why a claim has its verdict, and what would tell more, in sentences; not yet safe for a screen."""
    said = []
    if judged.outcome is Outcome.NO_PAIR:
        said.append(f"No two runs of ours have a seed in common; {judged.seeds_needed} paired seeds could decide.")
    elif judged.outcome is Outcome.MODELS_ONLY and not judged.seeds:
        there = sum(len(pair.differences) for pair in judged.own)
        said.append(
            f"Of {numbers.counted(comparisons_of(judged.claim), 'difference')} that must point the same way, {there} "
            f"can be told; each needs {judged.seeds_needed} paired seeds."
        )
    elif judged.outcome is Outcome.MODELS_ONLY:
        said.append(
            "This holds for these trained models, not yet for the method: "
            f"{numbers.counted(judged.seeds, 'paired seed')} cannot decide, {judged.seeds_needed} could."
        )
    elif judged.outcome is Outcome.UNDECIDED:
        said.append("Undecided is not “no effect”: the interval says which differences are still possible.")
        if all(difference == 0 for pair in judged.own for each in pair.differences for difference in each.differences):
            said.append("Both arms score the same with every seed: they are the same model.")
    if judged.differs:
        said.append(f"Other scale (the paper's in brackets): {differences_text(judged.differs)}.")
    elif judged.runs:
        said.append("At the paper's encoder, data size and budget.")
    return said


def about_claims(found: Sequence[JudgedClaim]) -> list[str]:
    """How claims were judged, and how many are decided, in sentences."""
    counts = Counter(each.outcome for each in found)
    decided = sum(counts[each] for each in (Outcome.CONFIRMED, Outcome.CONTRADICTED, Outcome.UNDECIDED))
    told = ", ".join(f"{counts[each]} {each}" for each in Outcome if counts[each])
    said = [f"{numbers.counted(len(found), 'claim')}: {told}."]
    if decided:
        by_chance = f"{decided * WRONG_BY_CHANCE:.1f}"
        said.append(
            "Each is judged by itself on pairs of seeds in which one toggle changes, as `bertmt compare` judges two "
            f"groups: from {LEAST_TWO_WAY} pairs with predictions over other dev examples too, else by exact sign "
            "flips, which hold for these dev examples; Holm over its own pairs and scores. "
            f"Of {numbers.counted(decided, 'claim')} about nothing, {by_chance} would be decided "
            "by chance."
        )
    if any(each.runs and each.differs for each in found):
        said.append("At another scale than the paper's a verdict is of that scale.")
    return said
