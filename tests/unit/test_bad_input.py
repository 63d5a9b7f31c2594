"""What the fuzzer found in parsers and readers: tracebacks, broken lines, and values that break who reads them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertmt import paths
from bertmt.errors import DataError, NotFoundError, RecipeError, RegistryError, UsageError
from bertmt.filters.fields import known_fields
from bertmt.filters.parsing import parse_filter
from bertmt.recipe.loading import read_toml
from bertmt.recipe.rules import recipe_from
from bertmt.registry.file.opening import open_registry
from bertmt.run_folder.event_files import read_events, tail_lines
from bertmt.run_folder.events import Event, Failed, parse_event
from bertmt.run_folder.layout import RunFolder, RunOrder, is_alive
from bertmt.run_folder.predictions import (
    Predictions,
    read_examples,
    read_predictions,
    write_examples,
    write_predictions,
)
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks.examples import Example

DIGITS = "9" * 5000  # more than Python reads into an int


@pytest.mark.parametrize("name", ["epo\nchs", "x" * 5000, "\x1b[2J", "\ud800"])
def test_the_name_of_an_unknown_setting_cannot_break_its_line(name: str) -> None:
    with pytest.raises(RecipeError) as refused:
        recipe_from({name: 1})
    [line] = str(refused.value).split("\n")
    assert "is not a setting" in line and line.isprintable() and len(line) < 200


def test_a_number_of_thousands_of_digits_makes_no_toml_file(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text(f"epochs = {DIGITS}")
    reads: tuple[Callable[[], object], ...] = (
        lambda: read_toml(tmp_path / "bertmt.toml"),
        lambda: read_user_settings(tmp_path),
    )
    for read in reads:
        with pytest.raises(UsageError, match="is no TOML file"):
            read()


def test_a_query_is_quoted_no_longer_than_a_line() -> None:
    with pytest.raises(UsageError) as refused:
        parse_filter("sst>" + "[" * 5000, known_fields({}, ["sst"]))
    assert len(str(refused.value)) < 300


def test_a_home_folder_of_nobody_stays_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.registry_path("~no-such-user/runs.db") == tmp_path / "~no-such-user" / "runs.db"
    (tmp_path / "bertmt.toml").write_text('data = "~no-such-user/data"')
    assert read_user_settings(tmp_path)["data"] == str(tmp_path / "~no-such-user" / "data")


def test_no_registry_is_made_in_a_home_folder_of_nobody(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_registry(tmp_path / "~no-such-user" / "runs.db")
    with pytest.raises(RegistryError, match="nobody's home folder"):
        open_registry(tmp_path / "~no-such-user" / "runs.db", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [False, True])
def test_a_registry_whose_name_no_system_can_hold_is_a_sentence(tmp_path: Path, create: bool) -> None:
    with pytest.raises(RegistryError, match=r"File name too long.*--db"):
        open_registry(tmp_path / ("x" * 300), create=create)


def line(**content: Any) -> bytes:
    event = {"event": "evaluated", "at": "2026-01-01T00:00:00Z", "epoch": 1, "step": 1, "scores": {}}
    return json.dumps(event | content).encode()


def test_a_number_that_sqlite_cannot_hold_makes_no_event() -> None:
    assert parse_event(line(scores={"sst": 1 << 61})) is not None
    assert parse_event(line(scores={"sst": 1 << 63})) is None


def test_half_a_character_in_an_event_becomes_a_question_mark_and_the_event_stays() -> None:
    event = parse_event(b'{"event": "failed", "at": "2026-01-01T00:00:00Z", "error": "no file \\udcff\\ud83d\\ude00"}')
    assert isinstance(event, Failed) and event.error == "no file ?\N{GRINNING FACE}"


def test_events_are_utf_8_and_nothing_else() -> None:
    assert parse_event(line().decode().encode("utf-16")) is None
    assert parse_event(b'{"event": "failed", "at": "2026-01-01T00:00:00Z", "error": "\xed\xa0\x80"}') is None


@pytest.mark.parametrize(
    "read", [read_events, lambda path: tail_lines(path, 3), lambda path: is_alive(RunFolder(path.parent))]
)
def test_a_folder_in_the_place_of_a_file_of_a_run_is_a_sentence(
    tmp_path: Path, read: Callable[..., tuple[list[Event], int, int]] | Callable[..., list[str]] | Callable[..., bool]
) -> None:
    path = tmp_path / "alive"
    path.mkdir()
    with pytest.raises(DataError, match=r"alive (cannot be read \(Is a directory\)|is not what a run has there)"):
        read(path)


@pytest.mark.parametrize(
    ("about", "values"),
    [
        ({"task": "sts"}, np.float32(1)),
        ({"task": "../sst"}, np.ones(3)),
        ({"split": "all"}, np.ones((3, 5))),
        ({"epoch": -1}, np.ones((3, 5))),
        ({"epoch": 10**30}, np.ones((3, 5))),
        ({"fingerprint": "\ud800"}, np.ones((3, 5))),
    ],
)
def test_predictions_that_are_none_are_refused(tmp_path: Path, about: dict[str, Any], values: Any) -> None:
    given: dict[str, Any] = {"task": "sst", "split": "dev", "epoch": 1, "fingerprint": "0" * 16, **about}
    write_predictions(tmp_path / "a.npz", Predictions(**given, probabilities=values))
    with pytest.raises(DataError, match="cannot be read: the"):
        read_predictions(tmp_path / "a.npz")


def test_words_in_the_place_of_probabilities_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", about=np.array(["sts", "dev", "1", "0" * 16]), probabilities=np.array(["x"]))
    with pytest.raises(DataError, match="not probabilities of sts"):
        read_predictions(tmp_path / "a.npz")


STRANGE_EXAMPLES = (
    Example(7, "a"),  # type: ignore[arg-type]  # refused where it is used
    Example("e", None),  # type: ignore[arg-type]  # refused where it is used
    Example("e", "a", 3),  # type: ignore[arg-type]  # refused where it is used
    Example("e", "a", None, "x"),  # type: ignore[arg-type]  # refused where it is used
    Example("e", "a", None, True),
)


@pytest.mark.parametrize("strange", STRANGE_EXAMPLES)
def test_examples_of_the_wrong_types_are_refused(tmp_path: Path, strange: Example) -> None:
    write_examples(tmp_path / "a.jsonl.gz", [strange])
    with pytest.raises(DataError, match="is no"):
        read_examples(tmp_path / "a.jsonl.gz")


@pytest.mark.parametrize(
    "changed",
    [{"attempt": "1"}, {"data": None}, {"fingerprints": ["x"]}, {"fingerprints": {"a": 1}}, {"a\nb": 1}],
)
def test_an_order_of_the_wrong_types_is_one_sentence(tmp_path: Path, changed: Any) -> None:
    folder = RunFolder(tmp_path)
    folder.create(RunOrder(run_id="abc234", name="name", attempt=1, data="toy", extra_data_file=""), "{}")
    folder.order.write_text(json.dumps({**json.loads(folder.order.read_text()), **changed}))
    with pytest.raises(NotFoundError) as refused:
        folder.read_order()
    assert "\n" not in str(refused.value)
