"""When a run may start at the earliest, from what people type."""

import re
from datetime import UTC, datetime, time, timedelta

from bertmt.errors import UsageError

_IN = re.compile(r"\+(?=\d)(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def parse_start(text: str, now: datetime | None = None) -> str:
    """A time in UTC, ISO 8601, from "22:00" (the next time it is so late here), "2026-11-25 08:00", or "+2h30m".

    Args:
        now: with a time zone; the present if None.

    Raises:
        UsageError: it is none of these, or lies in the past.
    """
    here = (now or datetime.now(UTC)).astimezone()
    found = _parse(text.strip(), here)
    if found is None:
        raise UsageError(f'--start expects 22:00, "2026-11-25 08:00" or +2h30m, but found {text!r}.')
    if found < here:
        raise UsageError(f"--start {text} lies in the past: it is {here:%Y-%m-%d %H:%M} now.")
    return found.astimezone(UTC).isoformat(timespec="milliseconds")


def _parse(text: str, here: datetime) -> datetime | None:
    if match := _IN.fullmatch(text):
        days, hours, minutes = (int(part or 0) for part in match.groups())
        return here + timedelta(days=days, hours=hours, minutes=minutes)
    try:
        if match := _CLOCK.fullmatch(text):
            # Convert each to the local zone again: the offset may change overnight.
            clock = time(int(match[1]), int(match[2]))
            dates = (here.date(), here.date() + timedelta(days=1))
            today, tomorrow = (datetime.combine(date, clock).astimezone() for date in dates)
            return today if today > here else tomorrow
        stated = datetime.fromisoformat(text)
        return stated.astimezone() if stated.tzinfo is None else stated
    except (ValueError, OverflowError, OSError):
        return None
