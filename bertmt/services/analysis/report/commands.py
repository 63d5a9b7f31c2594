"""The commands that make the same runs anew, and show the same numbers."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.recipe.loading import Preset, differences, from_json, presets
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import unresolved
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm
from bertmt.services.analysis.model_folder.facts import without_place
from bertmt.services.analysis.report.document import Block, Bullets, Code, Paragraph, Section
from bertmt.services.browse.run_formatting import value_text

FLAGS = {"data": "--data", "extra_data_file": "--extra-data", "encoder": "--encoder"}
DEFAULT_PRESET = "baseline"
MOST_NAMED = 40  # arms in one command
ABOUT = (
    "In a folder without a bertmt.toml. Folders and files are named without where they lie: --data and --extra-data "
    "expect them in the current folder, unless they are toy; the fingerprints above say whether they are the same."
)


def command_section(arms: Sequence[Arm]) -> Section:
    """What to type."""
    made: list[str] = []
    said: list[str] = []
    for arm in arms:
        command, remark = queue_command(arm)
        made += [command] if command else []
        said += [f"{arm.name}: {remark}"] if remark else []
    names = [arm.runs[0].name for arm in arms]
    shown = ["bertmt worker --drain"] if made else []
    # An arm of several seeds can only be named by what they share.
    if len(set(names)) == len(names) <= MOST_NAMED:
        shown.append(f"bertmt report {' '.join(shlex.quote(safe_text(name)) for name in names)} -o report.html")
    blocks: list[Block] = [Code("\n".join([*made, *shown])), Paragraph(ABOUT, True)]
    return Section("To do it again", [*blocks, *([Bullets(said)] if said else [])])


def queue_command(arm: Arm) -> tuple[str, str]:
    """The command that queues an arm's runs, and what it cannot say; either may be empty."""
    run = arm.runs[0]
    if run.recipe.get("encoder") == OTHER_PROGRAM:
        return "", "its predictions were made by another program and imported (`bertmt import-predictions`)."
    members = run.recipe.get("members") or ()
    if members:
        return f"bertmt average {' '.join(map(shlex.quote, members))} --name {shlex.quote(safe_text(run.name))}", ""
    try:
        recipe = unresolved(from_json(run.submission.recipe_json, run.known))
    except BertmtError:
        return "", "its recipe was written by another version of bertmt."
    preset, values = _shortest(recipe, run)
    words = ["bertmt queue --preset", preset.name, "--name", shlex.quote(safe_text(run.name))]
    words += list(_flags({"data": run.submission.data, "extra_data_file": run.submission.extra_data_file}))
    words += list(_flags(values))
    words += [f"--seed {seed}" for seed in arm.seeds]
    own = [task.title for task in run.tasks.values() if task.source is not None]
    remark = f"{', '.join(own)}: tasks of your own, which `bertmt task add` defines first." if own else ""
    return " ".join(words), remark


def _shortest(recipe: Recipe, run: Run) -> tuple[Preset, Mapping[str, object]]:
    """The preset that leaves the fewest settings to be named, and these; the built-in ones, which everybody has."""
    known = presets()
    names = dict.fromkeys((run.submission.from_preset, run.submission.preset, DEFAULT_PRESET))
    found = [(known[name], _values(recipe, known[name])) for name in names if name in known]
    return min(found, key=lambda each: len(each[1]))


def _values(recipe: Recipe, preset: Preset) -> dict[str, object]:
    named = differences(recipe, preset.recipe(recipe.known))
    return {name: own for name, (_, own) in named.items() if name not in ("seed", "data", "extra_data_file")}


def _flags(values: Mapping[str, object]) -> Iterator[str]:
    """Settings as words of a command, every digit of a number included."""
    for name, value in values.items():
        shown = without_place(value)
        text = repr(shown) if isinstance(shown, float) else "" if shown is None else value_text(shown)
        if name in FLAGS:
            yield from [f"{FLAGS[name]} {shlex.quote(safe_text(text))}"] if text else []
        else:
            yield f"--set {shlex.quote(safe_text(f'{name}={text}'))}"
