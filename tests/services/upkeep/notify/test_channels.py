"""Sentences reach servers of this machine, and what does not arrive is a sentence and no more."""

import json
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest
from message_servers import HttpServer, MailServer, serving

from bertmt.services.upkeep.notify import channels
from bertmt.services.upkeep.notify.channels import send
from bertmt.services.upkeep.notify.settings import NotifySettings

TEXT = "run1 ρ & <better> (seed 0) finished."


def test_ntfy_gets_the_text_the_title_and_the_token() -> None:
    with serving(HttpServer()) as server:
        assert send(NotifySettings(ntfy=server.address, ntfy_token="tk_1"), "bertmt", TEXT) == []
    [got] = server.got
    assert (got.path, got.body.decode()) == ("/topic", TEXT)
    assert (got.headers["Title"], got.headers["Authorization"]) == ("bertmt", "Bearer tk_1")


def test_a_webhook_gets_what_slack_and_discord_read_and_nobody_is_pinged() -> None:
    with serving(HttpServer()) as server:
        assert send(NotifySettings(webhook=server.address), "bertmt", f"{TEXT} <!channel> @everyone") == []
    document = json.loads(server.got[0].body)
    assert document["text"] == "run1 ρ &amp; &lt;better&gt; (seed 0) finished. &lt;!channel&gt; @everyone"
    assert document["content"] == f"{TEXT} <!channel> @everyone"
    assert document["allowed_mentions"] == {"parse": []}


def test_a_mail_is_sent() -> None:
    with serving(MailServer()) as server:
        settings = NotifySettings(email="me@example.org", smtp=server.address, sender="box@example.org")
        assert send(settings, "bertmt", TEXT) == []
    message = message_from_bytes(server.got[0])
    assert (message["To"], message["From"], message["Subject"]) == ("me@example.org", "box@example.org", "bertmt")
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes) and payload.decode().splitlines() == [TEXT]


def test_no_password_goes_over_an_open_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "LOOPBACK", ())
    with serving(MailServer()) as server:
        settings = NotifySettings(email="me@example.org", smtp=server.address, smtp_user="me", smtp_password="s3cret")
        [failure] = send(settings, "bertmt", TEXT)
    assert failure == f"notify.email failed: {server.address} offers no encryption, so no password is sent there."
    assert server.got == [] and not any("AUTH" in each for each in server.commands)


def test_a_command_gets_the_text_as_one_argument(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    program = "import sys; open(sys.argv[1], 'w', encoding='utf-8').write(repr(sys.argv[2:]))"
    text = "a; rm -rf $HOME `x` 'y'"
    assert send(NotifySettings(command=(sys.executable, "-c", program, str(kept))), "bertmt", text) == []
    assert kept.read_text() == repr([text])


def test_each_channel_that_fails_is_a_sentence_and_the_others_are_tried(tmp_path: Path) -> None:
    with serving(HttpServer(code=503)) as broken, serving(HttpServer()) as fine:
        settings = NotifySettings(
            command=(str(tmp_path / "missing"),), ntfy=broken.address, webhook=fine.address,
            email="me@example.org", smtp="127.0.0.1:1",
        )  # fmt: skip
        failures = send(settings, "bertmt", TEXT)
    assert len(fine.got) == 1
    assert [each.split(":")[0] for each in failures] == [
        "notify.command failed", "notify.ntfy failed", "notify.email failed"
    ]  # fmt: skip
    assert "the server answered 503" in failures[1] and str(tmp_path) not in "".join(failures[1:])


def test_a_redirect_is_not_followed_so_a_token_goes_nowhere_else() -> None:
    with serving(HttpServer()) as elsewhere, serving(HttpServer(code=307, redirect=elsewhere.address)) as server:
        [failure] = send(NotifySettings(ntfy=server.address, ntfy_token="tk_1"), "bertmt", TEXT)
    assert "the server answered 307" in failure and elsewhere.got == []


def test_who_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "PATIENCE_SECONDS", 0.2)
    sleeps = (sys.executable, "-c", "import time; time.sleep(60)")
    with serving(HttpServer(silent=True)) as server:
        failures = send(NotifySettings(ntfy=server.address, command=sleeps), "bertmt", TEXT)
    assert len(failures) == 2 and "did not end within 0 s" in failures[0] and "notify.ntfy failed" in failures[1]
    assert subprocess.run(["pgrep", "-f", "import time; time.sleep(60)$"], capture_output=True).returncode != 0
