"""`[alarms]` of the nearest `bertmt.toml`."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from bertmt.errors import UsageError
from bertmt.services.browse.alarms.rules import Rules
from bertmt.services.plan.user_settings import ALARMS, read_table, write_alarm_settings


def alarm_rules(start: Path | None = None) -> Rules:
    """What is set there, else the defaults.

    Raises:
        UsageError: the file cannot be read, or names what is no rule, or a value that none can have.
    """
    path, values = read_table(ALARMS, start)
    try:
        return _checked(values)
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from None


def _checked(values: Mapping[str, Any]) -> Rules:
    known = {each.name: each.default for each in fields(Rules)}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"[alarms] has {', '.join(known)}, but found {str(name)[:40]!r}.")
        if name == "on":
            is_fine, wanted = isinstance(value, bool), "true or false"
        else:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_fine, wanted = (
                is_number and _is_finite(value) and value >= 0,
                "a number from 0, which switches the rule off",
            )
        if not is_fine:
            raise UsageError(f"alarms.{name} expects {wanted}, but found {str(value)[:40]!r}.")
    return Rules(**values)


def _is_finite(value: float) -> bool:
    """Also of a whole number of hundreds of digits, which no floating-point number comes near."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def rules_as_text(rules: Rules) -> str:
    """The rules in a line that a person can edit: "on=true diverges=1.5 stalls=200 behind=0.05"."""
    return " ".join(f"{each.name}={json.dumps(getattr(rules, each.name))}" for each in fields(Rules))


def rules_in(text: str) -> Rules:
    """The rules of such a line; what it leaves out has its default.

    Raises:
        UsageError: a word is no rule with a value.
    """
    values: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        try:
            values[name] = json.loads(value) if equals else None
        except ValueError:
            values[name] = value
    return _checked(values)


def change_rules(rules: Rules, start: Path | None = None) -> Path:
    """Set the rules in the nearest `bertmt.toml`, else in a new one.

    Raises:
        UsageError: as `write_alarm_settings`.
    """
    return write_alarm_settings(asdict(rules), start)


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
    return f'The rules of alarms now: {said}. Ctrl-P, "Alarms", or `[alarms]` of bertmt.toml sets them.'
