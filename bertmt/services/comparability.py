"""What makes scores hard to compare: how a run came to them, and what it was evaluated and trained on."""

from bertmt.registry.records import Run


def looks_at_dev(run: Run) -> bool:
    """Whether dev scores decided which epoch the run kept or when it stopped; then they are optimistic."""
    return run.shared_recipe.get("select") == "best" or bool(run.shared_recipe.get("early_stopping"))
