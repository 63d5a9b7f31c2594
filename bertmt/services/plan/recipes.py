"""The recipe that a command line names, resolved, without looking at data or encoder."""

from collections.abc import Mapping
from pathlib import Path

from bertmt.errors import UsageError
from bertmt.recipe.loading import from_json, read_toml, to_toml
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import recipe_from, resolved, unresolved, with_present_names
from bertmt.recipe.settings import Role
from bertmt.registry.records import Run
from bertmt.services.plan.known_tasks import known_tasks, with_tasks_of
from bertmt.services.plan.preset_list import known_preset
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Tasks

DEFAULT_PRESET = "baseline"


def chosen_recipe(
    name: str | None, file: Path | None, run: Run | None, values: Mapping[str, str], folder: Path | None = None
) -> Recipe:
    """A run's recipe; or a preset (the baseline where none is named) or a recipe file over the user's defaults.

    Args:
        values: `--set`, which wins.
        folder: of the registry, beside which a user's own tasks and presets lie.

    Raises:
        UsageError: more than one is named, or the file is no TOML.
        RecipeError, NotFoundError: what is named is not valid, or not there.
    """
    if sum(source is not None for source in (name, file, run)) > 1:
        raise UsageError("Name one recipe: --preset NAME, --file RECIPE.toml, or --from RUN.")
    known = known_of(folder, run)
    if run is not None:
        return resolved(recipe_from(values, unresolved(from_json(run.submission.recipe_json, known))))
    own = read_toml(file) if file else dict(known_preset(folder, name or DEFAULT_PRESET).values)
    return resolved(recipe_from(read_user_settings() | own | dict(values), known=known))


def own_values(
    name: str | None, file: Path | None, run: Run | None, values: Mapping[str, str], folder: Path
) -> list[str]:
    """The settings that make a recipe what it is: named in the preset, the file or `values`, not in `bertmt.toml`.

    Of a run those that are part of the method.
    """
    if run is not None:
        recipe = chosen_recipe(None, None, run, {}, folder)
        return [*(each for each, about in recipe.settings().items() if about.role is Role.TOGGLE), *values]
    own = read_toml(file) if file else known_preset(folder, name or DEFAULT_PRESET).values
    return list(dict.fromkeys(with_present_names({**own, **values})))


def known_of(folder: Path | None, run: Run | None = None) -> Tasks:
    """The tasks that a recipe may name: built in, defined beside the registry, or those of a run to start from."""
    found: Tasks = known_tasks(folder) if folder else BUILTIN
    return with_tasks_of(found, run.known) if run else found


def setting_words(folder: Path, begun: str) -> list[str]:
    """What can be typed behind `--set`: settings, heads of all known tasks included, and after `tasks=` their names.

    Args:
        begun: what is typed already; of a list the names before the last comma are kept.
    """
    known = known_tasks(folder)
    name, equals, value = begun.partition("=")
    if equals and name == "tasks":
        before = value.split(",")[:-1]
        return [f"tasks={','.join([*before, each])}" for each in known if each not in before]
    return [f"{each}=" for each in SETTINGS.of_tasks([name for name, task in known.items() if task.has_head])]


def recipe_text(recipe: Recipe) -> str:
    """A resolved recipe as TOML to be changed and queued again.

    What was left open is there as a comment: a learning rate that follows the encoder, an alpha that follows the rank,
    data that nobody named. Pinned in a file, they would no longer follow, and an empty value would win over a default.
    """
    left_open = {name for name, value in unresolved(recipe).flat().items() if value in (None, "")}
    lines, table = [], ""
    for line in to_toml(recipe).splitlines():
        if line.startswith("["):
            table = line.strip("[]") + "."
        is_open = table + line.partition(" = ")[0] in left_open
        lines.append(f"# {line}" if is_open else line)
    return "\n".join(lines) + "\n"


def open_recipe(name: str, run: Run | None = None, folder: Path | None = None) -> Recipe:
    """What new runs start from, a preset over the user's defaults or a run's recipe, with what is open left open.

    What is set in it later is followed by what follows it: `resolved(recipe_from(values, open_recipe(…)))`.

    Args:
        folder: of the registry, beside which a user's own tasks and presets lie.

    Raises:
        UsageError: `bertmt.toml` cannot be read.
        RecipeError, NotFoundError: what is named is not valid, or not there.
    """
    known = known_of(folder, run)
    if run is not None:
        return unresolved(from_json(run.submission.recipe_json, known))
    return recipe_from(read_user_settings() | dict(known_preset(folder, name).values), known=known)
