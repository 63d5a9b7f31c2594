"""What runs were made of: recipes, data, encoders, code and environment, effort. What is equal is told once."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from bertmt.drawing import numbers
from bertmt.drawing.tables import Column, Row
from bertmt.registry.records import Run
from bertmt.services.analysis import comparison_formatting as words
from bertmt.services.analysis.arms import Arm, distinct_names, effort
from bertmt.services.analysis.compare import Comparison
from bertmt.services.analysis.model_folder import facts
from bertmt.services.analysis.report.document import Block, Bullets, Code, Heading, Paragraph, Section, Table
from bertmt.services.browse.details import Details

T = TypeVar("T", bound=Hashable)
DATA = (Column("split"), Column("examples", True), Column("fingerprint"), Column("runs"))
EFFORT = (
    Column("run"), Column("seed", True), Column("state"), Column("device"), Column("steps", True), Column("time"),
    Column("most memory", True), Column("speed", True),
)  # fmt: skip
MOST_RECIPES = 12  # that stand in full; the settings that differ are of all


def recipe_section(arms: Sequence[Arm], about: Mapping[int, Details], found: Comparison | None) -> Section:
    """What differs, then each recipe in full."""
    blocks: list[Block] = []
    if found is not None and found.recipe_differences:
        blocks += [Heading("What differs"), _without_places(*words.recipe_table(found))]
    elif found is not None:
        blocks.append(Paragraph(words.NOTHING_DIFFERS))
    shown = arms[:MOST_RECIPES]
    for arm, name in zip(shown, distinct_names(shown), strict=True):
        details = about[arm.runs[0].key]
        text = facts.recipe_toml(details)
        seeds = f" (seeds {', '.join(map(str, arm.seeds))})" if len(arm.seeds) > 1 else ""
        blocks.append(Heading(f"{name}{seeds}"))
        unreadable = (
            f"Written by another version of bertmt, which `bertmt show {arm.runs[0].id} --json` shows as it is."
        )
        blocks.append(Paragraph(unreadable) if text is None else Code(text, "toml"))
    if len(arms) > MOST_RECIPES:
        more = numbers.counted(len(arms) - MOST_RECIPES, "more recipe")
        blocks.append(Paragraph(f"`bertmt recipe --from RUN` prints {more}.", True))
    return Section("Recipes", blocks)


def _without_places(columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    """Settings that name a file or a folder without where that lies: a report is for others to read."""
    shown = [[str(facts.without_place(each)) for each in row.cells] for row in rows]
    return Table(columns, [Row(cells) for cells in shown])


def effort_section(runs: Sequence[Run], arms: Sequence[Arm], about: Mapping[int, Details]) -> Section:
    """How much each was trained, on what, and how long that took."""
    said = [
        f"{name}: {words.effort_text(effort(arm.runs[0]))}"
        for arm, name in zip(arms, distinct_names(arms), strict=True)
    ]
    rows = [_effort(about[run.key]) for run in runs]
    return Section("Training", [Table(EFFORT, rows), Bullets(said)])


def _effort(details: Details) -> Row:
    run, finished = details.run, details.run.progress.finished
    seconds, memory = (finished.seconds, finished.peak_memory_mib) if finished is not None else ({}, None)
    speed = details.tokens_per_second
    return Row([
        f"{run.name} ({run.id})", str(run.seed), str(run.state), run.execution.device or numbers.MISSING,
        numbers.count(run.progress.steps_done),
        ", ".join(f"{phase} {numbers.duration(each)}" for phase, each in seconds.items()) or numbers.MISSING,
        numbers.MISSING if memory is None else f"{memory:,.0f} MiB",
        numbers.MISSING if speed is None else f"{speed:,.0f} tokens/s",
    ])  # fmt: skip


def data_section(runs: Sequence[Run]) -> Section:
    """Each split that a run read, by its fingerprint, and where it is from."""
    known: dict[tuple[str, int | None, str], list[Run]] = {}
    for run in runs:
        for split in facts.data_of(run):
            known.setdefault(split, []).append(run)
    rows = [
        Row([name, numbers.count(size), mark or numbers.MISSING, _whose(of, runs)])
        for (name, size, mark), of in known.items()
    ]
    sources = {
        f"{task.title}: {source}.": None
        for run in runs
        for task in run.tasks.values()
        if (source := facts.source_of(run, task))
    }
    return Section("Data", [Table(DATA, rows), *([Bullets(list(sources))] if sources else [])])


def encoder_section(runs: Sequence[Run]) -> Section:
    """Which encoders training began with, and what they had learned from before."""
    blocks = [Bullets([f"{said} {_whose(of, runs)}"]) for said, of in _grouped(runs, _encoder)]
    seen = [
        Paragraph(said if len(of) == len(runs) else f"{_whose(of, runs)}: {said}")
        for said, of in _grouped(runs, facts.about_seen)
    ]
    return Section("Encoders, and what they had seen", [*blocks, *seen])


def _encoder(run: Run) -> str:
    marks = run.submission.encoder_fingerprints
    name = facts.base_model(run) or str(facts.without_place(run.recipe.get("encoder")))
    known = ", ".join(f"{part} {mark}" for part, mark in marks.items())
    return f"{name} ({known}):" if known else f"{name}:"


def environment_section(runs: Sequence[Run], about: Mapping[int, Details]) -> Section:
    """Code, Python, packages, devices and precision."""
    groups = _grouped(runs, lambda run: tuple(facts.environment_of(about[run.key])))
    blocks: list[Block] = []
    for lines, of in groups:
        blocks += [Heading(_whose(of, runs))] if len(groups) > 1 else []
        blocks.append(Bullets(lines) if lines else Paragraph("Not known."))
    return Section("Code and environment", blocks)


def limits_section(runs: Sequence[Run], about: Mapping[int, Details]) -> Section | None:
    """What the runs say of themselves and of their data."""
    found = _grouped(runs, lambda run: tuple(about[run.key].remarks))
    said = [f"{_whose(of, runs)}: {text}" for remarks, of in found for text in remarks]
    return Section("Remarks", [Bullets(said)]) if said else None


def _grouped(runs: Sequence[Run], what: Callable[[Run], T]) -> list[tuple[T, list[Run]]]:
    """Runs by something that they may share, in the order of their first."""
    found: dict[T, list[Run]] = {}
    for run in runs:
        found.setdefault(what(run), []).append(run)
    return list(found.items())


def _whose(of: Sequence[Run], runs: Sequence[Run]) -> str:
    """Which of all runs they are."""
    return "all runs" if len(of) == len(runs) > 1 else numbers.named([f"{run.name} ({run.id})" for run in of], 6)
