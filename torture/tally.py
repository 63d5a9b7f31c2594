"""What a scenario came to, and the table of all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

HEADERS = (
    "scenario",
    "played",
    "kills",
    "failed calls",
    "other",
    "runs",
    "attempts",
    "resumed",
    "violations",
    "seconds",
)


@dataclass(kw_only=True)
class Outcome:
    """One scenario, played to its end.

    Attributes:
        points: the operations at which something went wrong, with what it was: "kill-half write events-#.jsonl".
        kills, errors, others: SIGKILLs; calls that were made to fail; files torn or flipped, clocks moved.
        resumed: attempts that went on from a checkpoint.
        kept: the folder, where something was wrong.
    """

    scenario: str
    number: int
    seed: str
    points: list[str] = field(default_factory=list)
    kills: int = 0
    errors: int = 0
    others: int = 0
    runs: int = 0
    attempts: int = 0
    resumed: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    kept: Path | None = None
    skipped: str = ""


def table(outcomes: Sequence[Outcome]) -> str:
    """One row per kind of scenario, and a sum."""
    rows: list[tuple[str, ...]] = [HEADERS]
    names = list(dict.fromkeys(outcome.scenario for outcome in outcomes))
    for name in [*names, None]:
        of_name = [each for each in outcomes if name in (None, each.scenario)]
        figures = [len(of_name)] + [
            sum(getattr(each, word) for each in of_name)
            for word in ("kills", "errors", "others", "runs", "attempts", "resumed")
        ]
        violations = sum(len(each.violations) for each in of_name)
        seconds = sum(each.seconds for each in of_name)
        rows.append((name or "all", *(f"{figure:,}" for figure in (*figures, violations)), f"{seconds:,.0f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    lines = [
        row[0].ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    lines.insert(1, "─" * len(lines[0]))
    lines.insert(-1, "─" * len(lines[0]))
    return "\n".join(lines)


def points(outcomes: Sequence[Outcome]) -> str:
    """How often each point was hit."""
    counts = Counter(point for outcome in outcomes for point in outcome.points)
    return "\n".join(f"{count:6,}  {point}" for point, count in sorted(counts.items(), key=lambda each: each[0]))


def complaints(outcomes: Sequence[Outcome]) -> str:
    """Everything that was wrong, with what repeats it; and what was not done, with the reason."""
    lines = []
    for each in outcomes:
        if each.skipped:
            lines.append(f"SKIPPED {each.scenario}: {each.skipped}")
        if each.violations:
            lines.append(f"{each.scenario} {each.number}, seed {each.seed}, kept in {each.kept}:")
            lines += [f"    {violation}" for violation in each.violations]
    return "\n".join(lines)
