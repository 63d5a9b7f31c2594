"""Rows of which a table need not look through all to find one."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Placing(Protocol):
    """Rows that know where a key stands, and are not looked through for it."""

    def place_of(self, key: object) -> int | None:
        """The place of the row of that key; None where there is none."""
