"""Through what a sentence goes: a program, ntfy, a webhook, e-mail."""

import json
import smtplib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from bertmt.errors import UsageError, reason_of
from bertmt.launchers.telling import hand_to_program
from bertmt.services.upkeep.notify.settings import LOOPBACK, NotifySettings

PATIENCE_SECONDS = 10.0


class _NoRedirect(HTTPRedirectHandler):
    """A token goes where it was meant to go, and nowhere else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def send(settings: NotifySettings, title: str, text: str) -> list[str]:
    """Send through every channel that is set; a sentence for each that failed. Takes up to 10 s a channel."""
    failures = []
    for name, channel in _channels(settings):
        try:
            channel(settings, title, text)
        except HTTPError as problem:
            failures.append(f"notify.{name} failed: the server answered {problem.code} {str(problem.reason)[:80]}.")
        except (OSError, HTTPException, smtplib.SMTPException, UsageError, ValueError) as problem:
            failures.append(f"notify.{name} failed: {_reason(problem)}.")
    return failures


def _reason(problem: Exception) -> str:
    """Without what an exception may quote of an address, which is a secret."""
    inner = getattr(problem, "reason", problem)
    if isinstance(inner, OSError):
        return reason_of(inner)
    return str(problem).rstrip(".") if isinstance(problem, UsageError) else type(problem).__name__


def _channels(settings: NotifySettings) -> Iterator[tuple[str, Callable[[NotifySettings, str, str], None]]]:
    if settings.command:
        yield "command", _command
    if settings.ntfy:
        yield "ntfy", _ntfy
    if settings.webhook:
        yield "webhook", _webhook
    if settings.email:
        yield "email", _email


def _command(settings: NotifySettings, title: str, text: str) -> None:
    problem = hand_to_program(settings.command, text, PATIENCE_SECONDS)
    if problem:
        raise UsageError(problem)


def _ntfy(settings: NotifySettings, title: str, text: str) -> None:
    """https://docs.ntfy.sh/publish: the text as body; a header may hold ASCII only, and this title does."""
    headers = {"Title": title, "Content-Type": "text/plain; charset=utf-8"}
    if settings.ntfy_token:
        headers["Authorization"] = f"Bearer {settings.ntfy_token}"
    _post(settings.ntfy, text.encode(), headers)


def _webhook(settings: NotifySettings, title: str, text: str) -> None:
    """Slack reads `text`, Discord `content`; each ignores the other's. Neither is to turn names into pings."""
    said = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    document = {"text": said, "content": text[:2000], "allowed_mentions": {"parse": []}}
    _post(settings.webhook, json.dumps(document).encode(), {"Content-Type": "application/json"})


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    request = Request(address, body, headers | {"User-Agent": "bertmt"}, method="POST")
    ask = build_opener(_NoRedirect).open
    ask(request, timeout=PATIENCE_SECONDS).close()  # what it answers says nothing more than its code


def _email(settings: NotifySettings, title: str, text: str) -> None:
    message = EmailMessage()
    message["To"], message["From"] = settings.email, settings.sender or settings.email
    message["Subject"] = title
    message.set_content(text + "\n")
    host, port = settings.smtp.rsplit(":", 1)
    context = ssl.create_default_context()
    is_encrypted = port == "465"
    server = (
        smtplib.SMTP_SSL(host, int(port), timeout=PATIENCE_SECONDS, context=context)
        if is_encrypted
        else smtplib.SMTP(host, int(port), timeout=PATIENCE_SECONDS)
    )
    with server:
        server.ehlo()
        if not is_encrypted and server.has_extn("starttls"):
            server.starttls(context=context)
            is_encrypted = True
        if settings.smtp_user:
            if not is_encrypted and host not in LOOPBACK:
                raise UsageError(f"{settings.smtp} offers no encryption, so no password is sent there")
            server.login(settings.smtp_user, settings.smtp_password)
        server.send_message(message)
