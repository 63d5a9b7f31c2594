"""The measured shares as Markdown, as docs/methods.md has them."""

from collections.abc import Sequence

from bench.calibration.effects import EffectError
from bench.calibration.examples import Power, Tally
from bench.calibration.metrics import Row
from bench.calibration.seeds import SeedError
from bench.calibration.slices import Row as SliceRow
from bench.calibration.two_way import TwoWayError
from bertmt.comparison.verdicts import LEVEL
from bertmt.tasks.builtin import BUILTIN

TITLES = {"sst": "SST", "para": "PARA", "sts": "STS", "overall": "overall", "williams": "STS by Williams' t"}


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows))


def percent(share: float) -> str:
    """0.0512 → "5.1 %"."""
    return f"{100 * share:.1f} %"


def errors_table(tallies: Sequence[tuple[str, Tally]]) -> str:
    """False positives per score and family errors; one row per population and family."""
    header = ("equally good runs", "rows", "samples", *(TITLES[key] for key in TITLES), "family", "family by Williams")
    rows = []
    for name, tally in tallies:
        shares = [percent(tally.wrong[key] / tally.tried[key]) for key in TITLES]
        family = [percent(count / tally.samples) for count in (tally.family, tally.family_williams)]
        rows.append((name, str(tally.rows), f"{tally.samples:,}", *shares, *family))
    return markdown(header, rows)


def coverage_table(tallies: Sequence[tuple[str, Tally]]) -> str:
    """How often each interval held the true difference, at 95 % and at the level of the family's first step."""
    scores = ("sst", "para", "sts", "overall")
    rows = []
    for name, tally in tallies:
        for level in (LEVEL, LEVEL / tally.rows):
            shares = [percent(tally.covered[key, level] / tally.tried[key]) for key in scores]
            rows.append((name, f"{100 * (1 - level):.4g} %", *shares))
    return markdown(("equally good runs", "level", *(TITLES[key] for key in scores)), rows)


def power_table(powers: Sequence[Power]) -> str:
    """True differences of the size that is printed as found 4 times in 5."""
    return markdown(
        ("two runs", "n", "rows", "true difference", "printed in undecided samples", "found"),
        [
            (each.what, f"{each.n:,}", str(each.rows), f"{each.true:.4f}", f"{each.printed:.4f}", percent(each.found))
            for each in powers
        ],
    )


def seeds_table(errors: Sequence[SeedError]) -> str:
    """Arms of several seeds without a true difference."""
    return markdown(
        ("seeds", "arms", "rows", "samples", "p ≤ 0.05", "family", "95 % interval covers"),
        [
            (
                each.population, f"{each.sizes[0]} {'paired' if each.paired else f'and {each.sizes[1]}'}",
                str(each.rows), f"{each.samples:,}", percent(each.wrong), percent(each.family), percent(each.covered),
            )
            for each in errors
        ],
    )  # fmt: skip


def sizes_table(sizes: Sequence[tuple[float, float, float]]) -> str:
    """The largest conditional sizes of McNemar's tests: level, of the mid-p anywhere, of what is used anywhere."""
    return markdown(
        ("level", "mid-p, any number of flips up to 2,000", "what is used"),
        [(f"{level:.4g}", percent(mid), percent(used)) for level, mid, used in sizes],
    )


def metrics_table(rows: Sequence[Row]) -> str:
    """Equally good runs in tasks that are judged by other metrics: a row of one result each."""
    return markdown(
        ("metric", "equally good runs", "n", "samples", "p ≤ 0.05", "95 % interval covers", "98.75 % interval covers"),
        [
            (row.metric, row.population, f"{row.n:,}", f"{row.samples:,}",
             *(percent(count / row.samples) for count in (row.wrong, row.covered, row.covered_in_four)))
            for row in rows
        ],
    )  # fmt: skip


def slices_table(rows: Sequence[SliceRow]) -> str:
    """Equally good runs, or one of known scores, in overlapping slices."""
    return markdown(
        ("task", "what", "slices", "samples", "p ≤ 0.05", "95 % interval covers", "family"),
        [
            (BUILTIN[row.task].title, row.what, str(row.slices), f"{row.samples:,}",
             percent(row.wrong / row.rows) if row.what == "two runs" else "–",
             percent(row.covered / row.rows), percent(row.family / row.samples))
            for row in rows
        ],
    )  # fmt: skip


def effects_table(errors: Sequence[EffectError]) -> str:
    """A toggle without an effect, over pairs."""
    return markdown(
        ("pairs", "spread of pairs", "of examples", "samples", "p ≤ 0.05", "95 % interval covers", "t over pairs alone",
         "family of 4"),
        [
            (str(each.pairs), f"{each.of_pair:g}", f"{each.of_example:g}", f"{each.samples:,}", percent(each.wrong),
             percent(each.covered), percent(each.over_pairs), percent(each.family))
            for each in errors
        ],
    )  # fmt: skip


def two_way_table(errors: Sequence[TwoWayError]) -> str:
    """Recipes without a difference, over paired seeds on common examples."""
    return markdown(
        ("paired seeds", "spread of seeds", "of examples", "samples", "p ≤ 0.05", "95 % interval covers",
         "bootstrap alone", "seeds alone", "family of 4", "probability of improvement covers"),
        [
            (str(each.seeds), f"{each.of_seed:g}", f"{each.of_example:g}", f"{each.samples:,}", percent(each.wrong),
             percent(each.covered), percent(each.bootstrap_covered), percent(each.seeds_covered),
             percent(each.family), percent(each.improvement_covered))
            for each in errors
        ],
    )  # fmt: skip
