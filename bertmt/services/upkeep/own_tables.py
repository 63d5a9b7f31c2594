"""Tables of `bertmt.toml` that say what runs as this user: followed where the file is this user's alone."""

from pathlib import Path
from typing import Any

from bertmt.errors import UsageError
from bertmt.services.plan.user_settings import read_table
from bertmt.services.upkeep.ownership import foreign


def read_own_table(name: str, start: Path | None = None) -> tuple[Path | None, dict[str, Any]]:
    """As `read_table`, of a table that says what runs as this user.

    Raises:
        UsageError: it is no TOML, or has such a table and is not this user's alone.
    """
    path, values = read_table(name, start)
    whose = foreign("file", path) if path is not None and values else None
    if whose is not None:
        raise UsageError(f"{whose} Its [{name}] is not followed.")
    return path, values
