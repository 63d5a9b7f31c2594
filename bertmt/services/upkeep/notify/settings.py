"""`[notify]` of the nearest `bertmt.toml`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bertmt.errors import UsageError
from bertmt.services.plan.user_settings import NOTIFY
from bertmt.services.upkeep.own_tables import read_own_table

EVENTS = ("finished", "failed", "lost", "queue empty", "budget used up")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Who may read a project's files may not post in its channel: these are named, and stand in the environment alone.
SECRETS = ("webhook", "ntfy_token", "smtp_password")
_NAME = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class NotifySettings:
    """Where a sentence goes, and about what; where nothing is set, nothing is sent.

    Attributes:
        on: of EVENTS.
        command: a program and its arguments; the sentence comes as the last one.
        ntfy: the address of a topic, such as https://ntfy.sh/my-topic.
        ntfy_token: an access token of that server.
        webhook: the address of an incoming webhook of Slack, Discord or what reads `text` or `content` like them.
        email: who gets a message.
        smtp: the mail server, HOST:PORT; at port 465 encrypted from the start, else as soon as it offers that.
        smtp_user: with whose name and `smtp_password` to log in; encrypted only.
        sender: whom a message is from; "": who gets it.
    """

    on: tuple[str, ...] = EVENTS
    command: tuple[str, ...] = ()
    ntfy: str = ""
    ntfy_token: str = ""
    webhook: str = ""
    email: str = ""
    smtp: str = "localhost:25"
    smtp_user: str = ""
    smtp_password: str = ""
    sender: str = ""

    @property
    def has_any(self) -> bool:
        """Whether anything is to be sent."""
        return bool(self.command or self.ntfy or self.webhook or self.email)


def notify_settings(start: Path | None = None, environment: Mapping[str, str] = os.environ) -> NotifySettings:
    """What is set there, with secrets from the environment.

    Raises:
        UsageError: the file is not this user's alone, cannot be read, names what is no setting, or a value that none
            can have; a secret stands in it, or is not in the environment.
    """
    path, values = read_own_table(NOTIFY, start)  # it names a program, which would run as this user
    known = {each.name: each.default for each in fields(NotifySettings)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"{path}: [{NOTIFY}] has {', '.join(known)}, but found {str(name)[:40]!r}.")
        expected = _what_is_expected(name, value, known[name])
        if expected:
            # A secret that stands there by mistake is not repeated on screens and in logs.
            found = "" if name in SECRETS else f", but found {str(value)[:40]!r}"
            raise UsageError(f"{path}: {NOTIFY}.{name} expects {expected}{found}.")
        read[name] = tuple(value) if isinstance(value, list) else value
        if name in SECRETS:
            if value[1:] not in environment:
                raise UsageError(
                    f"{path}: {NOTIFY}.{name} names the environment variable {value[1:]}, which is not set: "
                    f"export {value[1:]}=…."
                )
            read[name] = environment[value[1:]]
    _check_addresses(path, read)
    return NotifySettings(**read)


def _what_is_expected(name: str, value: Any, default: Any) -> str:
    """What a setting may be, where this value is not that."""
    if name == "on":
        is_fine, expected = isinstance(value, list) and all(each in EVENTS for each in value), f"a list of {EVENTS}"
    elif isinstance(default, tuple):
        is_fine = isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
        expected = 'a list of strings, such as ["notify-send", "bertmt"]'
    elif name in SECRETS:
        is_fine = isinstance(value, str) and _NAME.fullmatch(value) is not None
        expected = 'the name of an environment variable with it, such as "$BERTMT_WEBHOOK", since it is a secret'
    elif name == "smtp":
        is_fine = isinstance(value, str) and re.fullmatch(r"[^\s:]+:\d{1,5}", value) is not None
        expected = 'HOST:PORT, such as "localhost:25"'
    elif name in ("email", "sender"):
        is_fine = isinstance(value, str) and re.fullmatch(r"[^\s@,<>]+@[^\s@,<>]+", value) is not None
        expected = "an address, such as me@example.org"
    else:
        is_fine, expected = isinstance(value, str) and value.isprintable(), "text"
    return "" if is_fine else expected


def _check_addresses(path: Path | None, read: Mapping[str, Any]) -> None:
    for name in ("ntfy", "webhook"):
        if name in read:
            try:
                parts = urlsplit(read[name])
                is_fine = parts.scheme in ("http", "https") and bool(parts.hostname)
            except ValueError:
                is_fine = False
            if not is_fine:
                raise UsageError(f"{path}: {NOTIFY}.{name} expects an address that begins with https:// or http://.")
            if name == "ntfy" and "ntfy_token" in read and parts.scheme == "http" and parts.hostname not in LOOPBACK:
                raise UsageError(f"{path}: {NOTIFY}.ntfy expects https:// where a token is sent along.")
