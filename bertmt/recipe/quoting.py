"""How messages quote what somebody typed."""

from typing import Any

LONGEST_SHOWN = 80  # characters of a name or a value


def shown(raw: Any) -> str:
    """A raw value as a message quotes it: on one line, not endless."""
    try:
        text = repr(raw)
    except (ValueError, RecursionError):  # an int of more digits than Python prints
        return "too large to show"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "…"
