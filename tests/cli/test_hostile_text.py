"""Names, notes, failures, log lines and sentences that would take over a terminal never reach it raw."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE

from bertmt.drawing.safe_text import safe_text

# Everything that shows a run, its texts, or a sentence of its data.
COMMANDS = [
    "runs",
    "runs --json",
    "runs --filter state:failed",
    "show evil",
    "show evil --json",
    "show later",
    "logs evil",
    "logs base",
    "logs base -f",
    "logs base -n 0",
    "wait evil",
    "cancel evil",
    "requeue evil",
    "hold later",
    "release held",
    "move later --last",
    "edit later --set epochs=3",
    "tag later x",
    "baseline evil",
    "compare evil base",
    "confusion evil",
    "flips base better --show wrong --show fixed",
    "flips base better --cell \x1b[2J,1",
    "flips base evil",
    "slices base --slice e\x1b[2J=sentence",
    "slices base --slice e=(\x1b[2J",
    "slices base --slice column=\x1b[2J",
    "report evil",
    "report base better --format md",
    "report base better --format latex -o e\x1b[2J.tex",
    "report base better -o e\x1b[2J.txt",
    "curves base evil --series loss/*",
    "curves base evil --series loss/* --json",
    "rm evil",
    "rm evil --yes",
    "queue --from evil",
    "recipe --from evil",
    "workers",
    "predict evil text",
]


def has_raw_control(text: str) -> re.Match[str] | None:
    return re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_raw_reaches_either_stream(bertmt: Callable[..., Outcome], registry: Path, command: str) -> None:
    outcome = bertmt(*command.split())
    assert not has_raw_control(outcome.out), outcome.out
    assert not has_raw_control(outcome.err), outcome.err
    assert "Traceback" not in outcome.err, outcome.err


def test_the_commands_above_do_show_the_hostile_texts(bertmt: Callable[..., Outcome], registry: Path) -> None:
    shown = safe_text(HOSTILE)
    for command in ("runs", "show evil", "show later", "logs base"):
        assert shown in bertmt(*command.split()).out, command


def test_markup_is_shown_as_it_is(bertmt: Callable[..., Outcome], registry: Path) -> None:
    bertmt("note", "base", "loss[train] [ERROR] [/ [link=x]y[/link]")
    assert "loss[train] [ERROR] [/ [link=x]y[/link]" in bertmt("show", "base").out


def test_json_keeps_the_text_as_it_is(bertmt: Callable[..., Outcome], registry: Path) -> None:
    from_json = json.loads(bertmt("runs", "--json").out)
    evil = next(run for run in from_json["runs"] if run["state"] == "failed")
    assert evil["name"].startswith("evil\x1b]0;pwned\x07")


def test_arguments_in_error_messages_are_made_safe(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("show", "no\x1b[2Jbody")
    assert not has_raw_control(outcome.err)
    outcome = bertmt("--no\x1b[2Jsuch")
    assert not has_raw_control(outcome.err)


def test_an_endless_argument_is_not_quoted_whole(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert len(bertmt("runs", "a", "b" * 5000).err) < 1000


def test_exported_data_are_raw_in_a_pipe_and_safe_on_a_terminal(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("export", "base", "--what", "predictions", "--csv")
    assert "\x1b]0;pwned" in bertmt(*arguments).out
    monkeypatch.setattr("bertmt.cli.output.is_terminal", lambda: True)
    assert not has_raw_control(bertmt(*arguments).out)
