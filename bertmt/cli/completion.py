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


def presets(incomplete: str) -> list[str]:
    """Names of presets."""
    from bertmt.recipe.loading import presets as known

    return _starting(incomplete, lambda: list(known()))


def settings(incomplete: str) -> list[str]:
    """Settings of a recipe, ready for their value."""
    from bertmt.recipe.recipe import SETTINGS

    return _starting(incomplete, lambda: [f"{name}=" for name in SETTINGS])


def encoders(incomplete: str) -> list[str]:
    """Encoders that have a name of their own."""
    from bertmt.recipe.encoders import KNOWN_ENCODERS

    return _starting(incomplete, lambda: list(KNOWN_ENCODERS))


def _starting(incomplete: str, words: Callable[[], list[str]]) -> list[str]:
    try:
        return [word for word in words() if word.startswith(incomplete)]
    except Exception:  # a traceback in the middle of a command line helps nobody
        return []
