"""What runs and tags may be called."""

from bertmt.errors import UsageError

LONGEST_NAME = 80


def check_name(name: str) -> None:
    """Raise a UsageError where a run cannot have this name."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A run's name must be 1 to {LONGEST_NAME} printable characters, but is {name!r}.")


def check_tag(tag_name: str) -> None:
    """Raise a UsageError where a word cannot be a tag."""
    if not tag_name or any(c.isspace() or not c.isprintable() or c in ",:" for c in tag_name):
        raise UsageError(f"A tag is one word without comma or colon, but found {tag_name!r}.")
