"""Exit codes, and what goes to which stream."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from present import present

from bertmt.cli import main
from bertmt.cli.exit_codes import ExitCode, exit_code_of
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, RecipeError, RegistryError, RunFailedError
from bertmt.registry.records import Run


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (BertmtError("x"), 1),
        (RegistryError("x"), 1),
        (RecipeError(["x"]), 2),
        (DataError("x"), 2),
        (NotFoundError("x"), 3),
        (BusyError("x"), 4),
        (RunFailedError("x"), 5),
    ],
)
def test_every_class_of_error_has_its_exit_code(problem: Any, code: int) -> None:
    assert exit_code_of(problem) == code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["runs"], 0),
        (["show", "base"], 0),
        (["show", "nobody"], 3),
        (["show", "twins"], 2),
        (["nonsense"], 2),
        (["runs", "--nonsense"], 2),
        (["show"], 2),
        (["runs", "--limit", "many"], 2),
        (["queue", "--preset", "nobody"], 3),
        (["queue", "--preset", "baseline", "--set", "nonsense=1"], 2),
        (["cancel", "base"], 4),
        (["hold", "base"], 4),
        (["wait", "base"], 0),
        (["wait", "evil"], 5),
        (["recipe", "--file", "missing.toml"], 3),
        ([], 0),
    ],
)
def test_a_command_line_ends_with_its_exit_code(
    bertmt: Callable[..., Outcome], registry: Path, arguments: list[str], code: int
) -> None:
    assert bertmt(*arguments).code == code


@pytest.mark.parametrize(
    "arguments",
    ["runs", "show x", "logs x", "compare x y", "worker", "workers", "export x", "cancel x", "recipe --from x"],
)
def test_reading_makes_no_registry_and_says_what_does(
    bertmt: Callable[..., Outcome], folder: Path, arguments: str
) -> None:
    outcome = bertmt(*arguments.split())
    assert outcome.code == ExitCode.NOT_FOUND
    assert "`bertmt queue --preset baseline` makes one" in outcome.err
    assert list(folder.iterdir()) == []


def test_an_error_is_one_sentence_on_stderr_and_nothing_on_stdout(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    outcome = bertmt("show", "nobody")
    assert outcome.out == ""
    assert outcome.err == "bertmt: No run named 'nobody'; `bertmt runs` lists them.\n"


def test_several_problems_of_a_recipe_have_a_line_each(bertmt: Callable[..., Outcome], folder: Path) -> None:
    lines = bertmt("recipe", "--set", "epochs=0", "--set", "lora.rnk=2").err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("bertmt: `") for line in lines)


def test_debug_shows_the_traceback_of_a_sentence(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert "Traceback" not in bertmt("show", "nobody").err
    assert "Traceback" in bertmt("show", "nobody", "--debug").err


def test_a_fault_of_the_program_keeps_its_traceback(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.services.browse.lookup.find_run", lambda *_: 1 / 0)
    outcome = bertmt("show", "base")
    assert outcome.code == ExitCode.FAILED
    assert "ZeroDivisionError" in outcome.err
    assert "fault of bertmt" in outcome.err


def test_a_damaged_registry_is_a_sentence(bertmt: Callable[..., Outcome], folder: Path) -> None:
    (folder / "runs.db").write_bytes(b"this is no database at all, " * 40)
    outcome = bertmt("runs")
    assert outcome.code == ExitCode.FAILED
    assert "`bertmt repair`" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("place", ["before", "behind", "joined"])
def test_the_registry_may_be_named_before_or_behind_the_command(
    bertmt: Callable[..., Outcome], registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    option = [f"--db={registry}"] if place == "joined" else ["--db", str(registry)]
    arguments = [*option, "runs"] if place == "before" else ["runs", *option]
    assert "base" in bertmt(*arguments).out


def test_the_registry_may_be_named_by_the_environment(
    bertmt: Callable[..., Outcome], registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BERTMT_DB", str(registry))
    assert "base" in bertmt("runs").out


def test_what_stands_behind_two_dashes_is_no_option() -> None:
    assert main.split_global_options(["note", "a", "--", "--db", "x"]) == ([], ["note", "a", "--", "--db", "x"])


def start(folder: Path, *arguments: Any, **options: Any) -> subprocess.Popen[Any]:
    # A job that a shell puts in the background ignores Ctrl-C, and what it starts inherits that; a person's does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen([sys.executable, "-m", "bertmt", *arguments], cwd=folder, text=True, **options)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "command",
    [
        "", "--help", "runs --json", "show base", "show base --json", "presets", "recipe --keys", "curves base",
        "export base", "compare base better", "confusion base", "logs base", "gc --json",
    ],
)  # fmt: skip
def test_a_reader_that_leaves_early_causes_no_noise(registry: Path, command: str) -> None:
    process = start(registry.parent, *command.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    present(process.stdout).close()
    assert present(process.stderr).read() == ""
    assert process.wait() == ExitCode.READER_GONE
    present(process.stderr).close()


@pytest.mark.parametrize("command", ["runs", "show nobody", "nonsense"])
def test_a_reader_of_both_streams_may_leave_early(registry: Path, command: str) -> None:
    process = start(registry.parent, *command.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    present(process.stdout).close()
    assert process.wait() == ExitCode.READER_GONE


def test_the_list_of_keys_may_be_cut_off(registry: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "--keys"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    present(process.stdout).close()
    assert present(process.stderr).read() == ""
    assert process.wait() == ExitCode.READER_GONE
    present(process.stderr).close()


def test_output_that_a_disk_does_not_take_is_a_sentence(registry: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - no file
        process = start(registry.parent, "presets", stdout=full, stderr=subprocess.PIPE)
        assert process.communicate()[1] == "bertmt: The output cannot be written: No space left on device.\n"
    assert process.returncode == ExitCode.FAILED


def test_a_command_may_be_started_without_streams(registry: Path) -> None:
    line = f"exec {sys.executable} -m bertmt presets <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", line], cwd=registry.parent, check=False).returncode == 0


def test_bare_bertmt_shows_its_help(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt()
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Usage: bertmt") and "Queue one run or many." in outcome.out
    assert outcome.out == bertmt("--help").out


def test_interrupting_a_wait_ends_with_130_and_leaves_the_run(registry: Path, run_named: Callable[..., Run]) -> None:
    process = start(registry.parent, "wait", "later", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert "No worker is running" in present(process.stderr).readline()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == ExitCode.INTERRUPTED
    assert "the runs continue" in present(process.stderr).read()
    present(process.stderr).close()
    assert run_named("later").state == "queued"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("runs --limit many", "Invalid value for '--limit': it must be a whole number;"),
        ("runs --limit 1.5", "Invalid value for '--limit': it must be a whole number;"),
        ("runs --limit -1", "Invalid value for '--limit': it must be at least 0;"),
        ("confusion base --task sts", "A confusion matrix needs classes: use sst or para, not 'sts'."),
        ("runz", "No such command 'runz'. Did you mean 'runs'? `bertmt --help`"),
        ("runs --db", "Option '--db' requires an argument;"),
    ],
)
def test_what_cannot_be_parsed_is_said_in_our_words(
    bertmt: Callable[..., Outcome], registry: Path, arguments: str, said: str
) -> None:
    outcome = bertmt(*arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"bertmt: {said}")
