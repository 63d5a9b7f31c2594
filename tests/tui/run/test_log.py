"""The log of a run: followed, filtered, from error to error, of every attempt."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from present import present
from registry_builder import HOSTILE, RegistryBuilder
from run_screen import open_run, said
from shown import Show, Shown

from bertmt.registry.claims import claim_next
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.run_folder.layout import RunFolder
from bertmt.services.browse.find.found import Found, Where
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.lifecycle.control import requeue
from tui.app import Dashboard
from tui.screens.run.screen import RunScreen
from tui.screens.run.widgets import log_lines

TRACEBACK = """Traceback (most recent call last):
  File "loop.py", line 40, in train
    loss.backward(retain_graph=True, create_graph=False, inputs=[every, single, parameter])
ValueError: a loss of step 41 is not finite, and here are the names of the examples that it came from: s1, s2, s3
"""


@pytest.fixture
def log(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of run005, which failed; a person is in the registry's folder."""
    monkeypatch.chdir(registry.parent)
    path = registry.parent / "runs" / "run005" / "log-1.txt"
    before = "".join(f"step {step}\n" for step in range(40))
    path.write_text(f"{before}{TRACEBACK}after it {HOSTILE}\nKilled\n", encoding="utf-8")
    return path


@pytest.fixture
def two_attempts(registry: Path, log: Path) -> RunFolder:
    """run005 failed, was queued again, and failed again, with another log."""
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    [run] = all_runs(builder.database, "runs.id = 'run005'")
    requeue(builder.database, run)
    run = present(claim_next(builder.database, None, "cpu"))
    folder = folder_of(builder.database, run)
    folder.log(2).write_text("the second attempt\n", encoding="utf-8")
    ingest(builder.database, run)
    builder.database.close()
    return folder


def lines_of(shown: Shown) -> list[str]:
    return shown.text.splitlines()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_log_opens_at_its_end_with_its_errors_marked(
    show: Show, alive: Any, log: Path, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run005", "6")
        await shown.should_be("run-log")


async def test_a_brace_goes_from_error_to_error_and_round(show: Show, alive: Any, log: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "6")
        assert "2 errors (})" in shown.text
        await shown.press("right_curly_bracket")
        assert "▸ Traceback" in shown.text and "error 1 of 2" in shown.text
        await shown.press("right_curly_bracket")
        assert "▸ Killed" in shown.text and "error 2 of 2" in shown.text
        await shown.press("right_curly_bracket")
        assert "▸ Traceback" in shown.text
        await shown.press("left_curly_bracket")
        assert "▸ Killed" in shown.text


async def test_a_long_line_is_wrapped_and_nothing_of_it_is_lost(show: Show, alive: Any, log: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "6", "right_curly_bracket")
        await shown.should_be("run-log-error")
        words = " ".join(shown.text.split())
        assert "here are the names of the examples that it came from: s1, s2, s3" in words


async def test_what_is_appended_is_shown_and_followed_until_one_scrolls_away(show: Show, alive: Any, log: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "6")
        await append(shown, log, "the newest line\n")
        assert "the newest line" in shown.text
        await shown.press("g")
        await append(shown, log, "a line that is out of sight\n")
        assert "step 0" in shown.text and "out of sight" not in shown.text
        await shown.press("E")
        assert "a line that is out of sight" in shown.text
        await append(shown, log, "and one more\n")
        assert "and one more" in shown.text


async def test_only_what_is_new_in_a_log_is_wrapped(
    show: Show, alive: Any, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    wrapped = log_lines.wrapped  # type: ignore[attr-defined]  # its own name for it

    def counting(text: Any, width: Any) -> list[str]:
        texts.append(text)
        return wrapped(text, width)

    monkeypatch.setattr(log_lines, "wrapped", counting)
    log.write_text("".join(f"é{index:03d} {'word ' * 40}\n" for index in range(300)), encoding="utf-8")
    async with show() as shown:
        await open_run(shown, "run005", "6")
        assert len(texts) == 300
        await append(shown, log, f"new {'word ' * 40}\n")
        assert [text[:4] for text in texts[300:]] == ["new "]
        await shown.press("slash", *"é12", "escape", "right_curly_bracket", "G")
        assert len(texts) == 301
        await shown.pilot.resize_terminal(100, 24)
        await shown.settle()
        assert len(texts) == 602, "all of them, once, at another width"


async def append(shown: Shown, log: Path, text: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(text)
    shown.app.screen.pane._poll()
    await shown.settle()


async def test_a_running_run_says_whether_its_end_is_followed(show: Show, alive: Any, log: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run006", "6")
        assert "  following  " in shown.text
        await shown.press("k")
        assert "not following (E)" in shown.text
        await shown.press("G")
        assert "not following" not in shown.text


async def test_a_filter_shows_lines_as_it_is_typed_and_escape_takes_it_away(show: Show, alive: Any, log: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "6", "slash", *"STEP 3")
        assert [each.strip() for each in lines_of(shown) if each.strip().startswith("step")] == [
            "step 3", *(f"step 3{digit}" for digit in range(10))
        ]  # fmt: skip
        assert "11 of 46 lines" in shown.text
        await shown.press("enter", "escape")
        assert "Killed" in shown.text and "46 lines" in shown.text
        await shown.press("escape")
        assert "bertmt   1 Runs" in shown.text


async def test_a_filter_that_no_line_has_and_an_empty_log_say_so(show: Show, alive: Any, log: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "6", "slash", *"xyz")
        assert "No line has this text; Esc takes the filter away." in shown.text
        await shown.press("escape")
        log.write_text("", encoding="utf-8")
        shown.app.screen.pane._poll()
        await shown.settle()
        assert "Nothing has been written yet." in shown.text


async def test_without_an_error_the_brace_says_that_there_is_none(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "6", "right_curly_bracket")
        assert said(shown) == ["No error was found."]


async def test_earlier_attempts_can_be_read_and_one_without_a_log_says_so(
    show: Show, alive: Any, two_attempts: RunFolder
) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "6")
        assert "the second attempt" in shown.text and "attempt 2 of 2" in shown.text
        await shown.press("left_square_bracket")
        assert "Killed" in shown.text and "log-1.txt" in shown.text
        await shown.press("right_square_bracket")
        assert "the second attempt" in shown.text
        two_attempts.log(1).unlink()
        await shown.press("left_square_bracket")
        assert "Run run005 has no log of attempt 1; it was started 2 times." in shown.text


async def test_a_log_that_is_too_much_says_that_its_beginning_is_not_shown(show: Show, alive: Any, log: Path) -> None:
    log.write_text("".join(f"line {index:06d}\n" for index in range(6000)), encoding="utf-8")
    async with show() as shown:
        await open_run(shown, "run005", "6", "g")
        assert "What came before is not shown here; the file has all of it." in shown.text
        assert "line 001000" in shown.text and "line 000999" not in shown.text


async def test_a_run_that_was_never_started_has_no_log_and_says_so(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run008", "6")
        assert "Run run008 is held and has not started yet, so it has no log." in shown.text


async def test_the_log_is_looked_at_again_and_again_while_it_is_shown(
    show: Show, alive: Any, log: Path, registry: Path
) -> None:
    app = Dashboard(registry=registry, poll_seconds=60)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        run = await app.ask(lambda session: all_runs(session.database, "runs.id = 'run005'")[0])
        app.push_screen(RunScreen(run, tab=5))
        seen = asyncio.Event()
        await pilot.pause()
        screen: Any = app.screen
        pane = screen.pane
        look = pane._look

        async def looked() -> None:
            await look()
            seen.set()

        pane._look = looked
        await asyncio.wait_for(seen.wait(), 5)


async def test_what_was_found_in_an_attempt_is_shown_in_it_though_the_run_was_started_again(
    show: Show, alive: Any, two_attempts: RunFolder, registry: Path
) -> None:
    with open_registry(registry) as database:
        [run] = all_runs(database, "runs.id = 'run005'")
    then = msgspec.structs.replace(run, attempt=1)
    found = Found(run=then, where=Where.LOG, text="step 3", attempt=1, offset=len("step 0\nstep 1\nstep 2\n"))
    async with show() as shown:
        shown.app.push_screen(RunScreen(then, found=found))
        await shown.settle()
        assert "attempt 1 of 2" in shown.text and "▸" in next(each for each in lines_of(shown) if "step 3" in each)
