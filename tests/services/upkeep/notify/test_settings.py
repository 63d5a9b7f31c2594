"""`[notify]`: what it takes, and that secrets come from the environment alone."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from bertmt.errors import UsageError
from bertmt.services.plan.user_settings import read_user_settings, write_user_settings
from bertmt.services.upkeep.notify.settings import NotifySettings, notify_settings


def written(folder: Path, text: str) -> Path:
    (folder / "bertmt.toml").write_text(f"[notify]\n{text}\n", encoding="utf-8")
    return folder


def test_without_settings_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text("seed = 1\n")
    assert notify_settings(tmp_path) == NotifySettings() and not NotifySettings().has_any


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    written(tmp_path, 'webhook = "$HOOK"\non = ["failed"]\ncommand = ["notify-send", "bertmt"]')
    found = notify_settings(tmp_path, {"HOOK": "https://hooks.example.org/secret"})
    assert (found.webhook, found.on) == ("https://hooks.example.org/secret", ("failed",))
    assert found.command == ("notify-send", "bertmt") and found.has_any


BAD = {
    'webhook = "https://hooks.example.org/s3cret"': "the name of an environment variable with it",
    'smtp_password = "s3cret"': "the name of an environment variable with it",
    'ntfy_token = "$MISSING"': "names the environment variable MISSING, which is not set: export MISSING=….",
    'ntfy = "file:///etc/passwd"': "expects an address that begins with https:// or http://.",
    'ntfy = "https://[::1"': "expects an address that begins with https:// or http://.",
    'webhook = "$FILE"': "expects an address that begins with https:// or http://.",
    'command = "notify-send"': "a list of strings",
    "command = [1]": "a list of strings",
    'on = ["ended"]': "a list of ('finished', 'failed', 'lost', 'queue empty', 'budget used up'), but found",
    'smtp = "mail.example.org"': 'HOST:PORT, such as "localhost:25"',
    'email = "a@b, c@d"': "an address, such as me@example.org",
    'email = "a@b\\nBcc: c@d"': "an address, such as me@example.org",
    "ntfy = 3": "text, but found '3'",
    'slack = "x"': "[notify] has on, command, ntfy,",
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_is_refused_in_a_sentence_without_the_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as refused:
        notify_settings(written(tmp_path, text), {"FILE": "file:///etc/passwd"})
    said = str(refused.value)
    assert BAD[text] in said and str(tmp_path / "bertmt.toml") in said
    assert "s3cret" not in said and "passwd" not in said.replace(text, "")


def test_the_table_is_no_setting_of_recipes_and_outlives_init(tmp_path: Path) -> None:
    written(tmp_path, 'ntfy = "https://ntfy.sh/mine"\non = ["failed", "lost"]')
    assert read_user_settings(tmp_path) == {}
    write_user_settings(tmp_path, {"seed": 3})
    assert read_user_settings(tmp_path) == {"seed": 3}
    assert notify_settings(tmp_path) == NotifySettings(on=("failed", "lost"), ntfy="https://ntfy.sh/mine")


def test_a_file_that_others_may_write_is_not_followed(tmp_path: Path) -> None:
    written(tmp_path, 'command = ["notify-send"]')
    (tmp_path / "bertmt.toml").chmod(0o666)
    with pytest.raises(UsageError, match=r"all users may write it.* Its \[notify\] is not followed"):
        notify_settings(tmp_path)


def test_a_token_goes_over_an_open_line_to_this_machine_alone(tmp_path: Path) -> None:
    written(tmp_path, 'ntfy = "http://ntfy.example.org/mine"\nntfy_token = "$TOKEN"')
    with pytest.raises(UsageError, match="expects https:// where a token is sent along"):
        notify_settings(tmp_path, {"TOKEN": "tk_1"})
    written(tmp_path, 'ntfy = "http://127.0.0.1:8080/mine"\nntfy_token = "$TOKEN"')
    assert notify_settings(tmp_path, {"TOKEN": "tk_1"}).ntfy_token == "tk_1"


def test_signs_beyond_sixteen_bits_outlive_init(tmp_path: Path) -> None:
    written(tmp_path, 'command = ["notify-send", "🎉"]')
    write_user_settings(tmp_path, {"seed": 3})
    assert notify_settings(tmp_path).command == ("notify-send", "🎉")


def test_the_page_names_every_setting() -> None:
    page = (Path(__file__).parents[4] / "docs" / "notify.md").read_text(encoding="utf-8")
    named = {
        word for row in page.splitlines() if row.startswith("| `") for word in re.findall(r"`(\w+)(?: =[^`]*)?`", row)
    }
    assert named == {each.name for each in fields(NotifySettings)}
