"""What the shell offers on Tab. Run at every Tab, so: plain SQL, no registry made, no error shown."""

from collections.abc import Callable

import typer


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Ids and names of runs."""
    from bertmt.cli.invocation import registry_path
    from bertmt.services.browse.suggestions import run_words

    return _starting(incomplete, lambda: run_words(registry_path(context)))


def removed_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Ids and names of removed runs."""
    from bertmt.cli.invocation import registry_path
    from bertmt.services.browse.suggestions import removed_run_words

    return _starting(incomplete, lambda: removed_run_words(registry_path(context)))


def tags(context: typer.Context, incomplete: str) -> list[str]:
    """Tags in use."""
    from bertmt.cli.invocation import registry_path
    from bertmt.services.browse.suggestions import tag_words

    return _starting(incomplete, lambda: tag_words(registry_path(context)))


def runs_and_tags(context: typer.Context, incomplete: str) -> list[str]:
    """What `bertmt tag` takes: runs, then a tag."""
    return [*runs(context, incomplete), *tags(context, incomplete)]


def presets(context: typer.Context, incomplete: str) -> list[str]:
    """Names of presets."""
    from bertmt.cli.invocation import registry_path
    from bertmt.services.plan.preset_list import known_presets

    return _starting(incomplete, lambda: list(known_presets(registry_path(context).parent)))


def tasks(context: typer.Context, incomplete: str) -> list[str]:
    """Names of tasks."""
    from bertmt.cli.invocation import registry_path
    from bertmt.services.plan.known_tasks import known_tasks

    return _starting(incomplete, lambda: list(known_tasks(registry_path(context).parent)))


def settings(context: typer.Context, incomplete: str) -> list[str]:
    """Settings of a recipe, ready for their value; of `tasks=` the names of tasks, one after the other."""
    from bertmt.cli.invocation import registry_path
    from bertmt.services.plan.recipes import setting_words

    return _starting(incomplete, lambda: setting_words(registry_path(context).parent, incomplete))


def encoders(incomplete: str) -> list[str]:
    """Encoders that have a name of their own."""
    from bertmt.recipe.encoders import KNOWN_ENCODERS

    return _starting(incomplete, lambda: list(KNOWN_ENCODERS))


def _starting(incomplete: str, words: Callable[[], list[str]]) -> list[str]:
    try:
        return [word for word in words() if word.startswith(incomplete)]
    except Exception:  # a traceback in the middle of a command line helps nobody
        return []
