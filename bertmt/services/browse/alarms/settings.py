"""`[alarms]` of the nearest `bertmt.toml`."""

import math
from dataclasses import fields
from pathlib import Path

from bertmt.errors import UsageError
from bertmt.services.browse.alarms.rules import Rules
from bertmt.services.plan.user_settings import ALARMS, read_table


def alarm_rules(start: Path | None = None) -> Rules:
    """What is set there, else the defaults.

    Raises:
        UsageError: the file cannot be read, or names what is no rule, or a value that none can have.
    """
    path, values = read_table(ALARMS, start)
    known = {each.name: each.default for each in fields(Rules)}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"{path}: [alarms] has {', '.join(known)}, but found {str(name)[:40]!r}.")
        if name == "on":
            is_fine, wanted = isinstance(value, bool), "true or false"
        else:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            is_fine, wanted = is_number and value >= 0, "a number from 0, which switches the rule off"
        if not is_fine:
            raise UsageError(f"{path}: alarms.{name} expects {wanted}, but found {str(value)[:40]!r}.")
    return Rules(**values)


def rules_in_words(start: Path | None = None) -> str:
    """The rules as they are now, and where they are set, in a sentence."""
    try:
        rules = alarm_rules(start)
    except UsageError as problem:
        return str(problem)
    if not rules.on:
        return "Alarms are off: alarms.on in bertmt.toml."
    told = {each.name: getattr(rules, each.name) for each in fields(Rules) if each.name != "on"}
    said = ", ".join(f"{name} {value:g}" if value else f"{name} off" for name, value in told.items())
    return f"The rules of alarms now: {said}. `[alarms]` of bertmt.toml sets them; 0 switches one off."
