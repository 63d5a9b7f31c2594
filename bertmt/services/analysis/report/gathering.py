"""A report about arms, gathered from the registry by what `compare`, `show`, `flips` and `slices` call too."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bertmt.drawing.numbers import counted, named
from bertmt.errors import UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm, arm_of, distinct_names
from bertmt.services.analysis.compare import Comparison, compare
from bertmt.services.analysis.model_folder.facts import without_place
from bertmt.services.analysis.report import provenance
from bertmt.services.analysis.report.commands import command_section
from bertmt.services.analysis.report.curves import curve_section
from bertmt.services.analysis.report.document import Block, Bullets, Paragraph, Record, Report, Section
from bertmt.services.analysis.report.mistakes import change_sections, picture_section
from bertmt.services.analysis.report.scores import comparison_sections, difference_records, run_scores
from bertmt.services.browse.baseline import Baselines
from bertmt.services.browse.details import details_of
from bertmt.version import __version__

MOST_RUNS = 200  # whose details are read


def report_of(database: Database, groups: Sequence[Sequence[Run]]) -> Report:
    """Everything about these arms, the first of which the others are compared with; of one alone, about that.

    Args:
        groups: as `compare` takes them.

    Raises:
        UsageError: there are too many runs, or an arm mixes recipes.
        BusyError: a run has no scores yet.
    """
    count = sum(map(len, groups))
    if count > MOST_RUNS:
        raise UsageError(f"A report is of at most {counted(MOST_RUNS, 'run')}, but found {count:,}: name fewer.")
    found, said = _compared(database, groups)
    arms = list(found.arms) if found else [arm_of(database, group) for group in groups]
    runs = list({run.key: run for arm in arms for run in arm.runs}.values())
    baselines = Baselines(database)
    about = {run.key: details_of(database, run, baselines) for run in runs}
    records: list[Record] = difference_records(found) if found else []
    singles, of_runs = run_scores(database, arms, about)
    changes = change_sections(database, arms)
    sections = [
        *(comparison_sections(found) if found else [Section("Verdicts", [Paragraph(said)])] if said else []),
        singles,
        curve_section(database, arms),
        picture_section(database, arms),
        *changes.sections,
        provenance.recipe_section(arms, about, found),
        provenance.effort_section(runs, arms, about),
        provenance.data_section(runs),
        provenance.encoder_section(runs),
        provenance.environment_section(runs, about),
        provenance.limits_section(runs, about),
        command_section(arms),
    ]
    made = f"Written by bertmt {__version__} on {datetime.now(UTC):%Y-%m-%d at %H:%M} UTC."
    places = _places(database, runs)
    whole = [_without(places, each) for each in sections if each is not None]
    return Report(_title(arms), made, whole, [*of_runs, *records, *changes.records])


def _places(database: Database, runs: Sequence[Run]) -> dict[str, str]:
    """Where data and encoders of runs lie on this machine, and what is told of that: a report is for others to read."""
    named = [each for run in runs for each in (run.submission.data, run.submission.extra_data_file)]
    named += [str(run.recipe.get("encoder")) for run in runs] + [str(database.path.parent)]
    found = {each: str(without_place(each)) for each in named if each != without_place(each)}
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))  # a folder within another goes first


def _without(places: Mapping[str, str], section: Section) -> Section:
    """A section whose sentences tell of no such place."""

    def told(text: str) -> str:
        for place, shown in places.items():
            text = text.replace(place, shown)
        return text

    blocks: list[Block] = []
    for block in section.blocks:
        if isinstance(block, Paragraph):
            block = replace(block, text=told(block.text))
        elif isinstance(block, Bullets):
            block = Bullets(list(map(told, block.items)))
        blocks.append(block)
    return Section(section.title, blocks)


def _compared(database: Database, groups: Sequence[Sequence[Run]]) -> tuple[Comparison | None, str]:
    """The comparison of several arms, or why there is none."""
    if len(groups) < 2:
        return None, ""
    try:
        return compare(database, groups), ""
    except UsageError as problem:
        if not str(problem).startswith("Nothing can be compared"):
            raise
        return None, str(problem)


def _title(arms: Sequence[Arm]) -> str:
    """ "final (ab12cd) against baseline (ef34gh)"."""
    first, *others = distinct_names(arms)
    return f"{named(others, 4)} against {first}" if others else first
