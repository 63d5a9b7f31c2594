"""What holds on every screen: keys with ids, help, palette, themes, ASCII, no colours, small terminals, the bell."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show, Shown

from bertmt.devices.cpu import Cpu, CpuTimes
from bertmt.errors import UsageError
from bertmt.registry import workers
from bertmt.registry.claims import claim_next
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.services.upkeep import machine
from tui.__main__ import dashboard, parser
from tui.all_bindings import all_bindings
from tui.app import Dashboard
from tui.screens.compare.screen import CompareScreen
from tui.screens.new_run.screen import NewRunScreen
from tui.screens.run.screen import RunScreen
from tui.screens.worker_log import WorkerLogScreen
from tui.settings import Settings, View, read_settings, write_settings
from tui.styles.themes import CYCLE, LIGHT

TOUR = Path(__file__).resolve().parents[2] / "docs" / "tour.md"
ARROWS = {"up", "down", "left", "right"}


def test_every_key_has_an_id_of_its_own_a_word_and_a_sentence() -> None:
    bindings = all_bindings()
    assert len(bindings) > 60
    ids = [binding.id for _, binding in bindings]
    assert None not in ids and len(set(ids)) == len(ids)
    silent = [binding.id for _, binding in bindings if not (binding.description and binding.tooltip.endswith("."))]
    assert silent == []


def test_without_keys_of_ones_own_the_start_does_not_import_every_screen(tmp_path: Path) -> None:
    """The comparison brings scipy, which takes longer than all else."""
    code = "import sys; from tui.__main__ import dashboard, parser; dashboard(parser().parse_args([]))"
    said = "; sys.exit('scipy' in sys.modules or 'tui.screens.compare.screen' in sys.modules)"
    there = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code + said], env=there, check=False).returncode == 0


def test_the_screens_thread_waits_a_millisecond_for_what_lanes_read() -> None:
    code = "import sys; from tui.__main__ import dashboard, parser; dashboard(parser().parse_args([]))"
    said = "; sys.exit(sys.getswitchinterval() > 0.0015)"
    assert subprocess.run([sys.executable, "-c", code + said], check=False).returncode == 0


@pytest.mark.parametrize("theme", CYCLE)
async def test_every_theme_shows_the_same_text(show: Show, alive: Any, theme: str) -> None:
    async with show() as shown:
        plain = shown.text
    async with show(settings=Settings(theme=theme)) as shown:
        assert shown.app.theme == theme
        assert shown.text == plain


async def test_themes_are_gone_through_by_a_key_and_kept(show: Show, alive: Any, tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    async with show(settings_file=file) as shown:
        seen = [shown.app.theme]
        for _ in CYCLE:
            await shown.press("t")
            seen.append(shown.app.theme)
    assert seen == [*CYCLE, CYCLE[0]]
    assert read_settings(file).theme == CYCLE[0]


async def test_ascii_means_nothing_but_ascii(show: Show, alive: Any) -> None:
    async with show(ascii_only=True, size=(120, 40)) as shown:
        assert shown.app.screen.table.current.run.id == "run006", "which has a curve"
        assert shown.text.isascii(), [each for each in set(shown.text) if not each.isascii()]
        await shown.should_be("runs-ascii")


async def test_without_colours_the_cursor_and_the_states_are_still_seen(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with show() as shown:
        assert shown.app.no_color
        table = shown.app.screen.table
        lines = [table.render_line(y) for y in range(1 + len(table.rows))]  # below the titles
        reversed_ones = [y for y, strip in enumerate(lines) if any(each.style and each.style.reverse for each in strip)]
        assert reversed_ones == [1 + table.cursor]


@pytest.mark.parametrize(("size", "fits"), [((40, 12), True), ((39, 12), False), ((40, 11), False)])
async def test_a_terminal_that_is_too_small_says_so(show: Show, alive: Any, size: tuple[int, int], fits: bool) -> None:
    async with show(size=size) as shown:
        assert ("needs 40×12" in " ".join(shown.text.split())) is not fits
        await shown.pilot.resize_terminal(80, 24)
        await shown.settle()
        assert "better" in shown.text


async def test_no_key_drops_what_was_typed_before_the_terminal_became_too_small(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("i", *"seen")
        await shown.pilot.resize_terminal(30, 8)
        await shown.pilot.pause()
        await shown.pilot.press("q", "escape", "x")
        await shown.pilot.pause()
        assert "enlarge it to go on" in " ".join(shown.text.split()) and shown.app.is_running
        await shown.pilot.resize_terminal(80, 24)
        await shown.pilot.pause()
        assert shown.app.screen.query_one("#text").value == "seen"


async def test_a_key_of_the_queue_says_on_the_list_of_runs_where_it_belongs_once(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("w", "w", "Z", "period")
        assert shown.said.splitlines() == [
            "w is a key of the queue (2): Start a worker; it outlives the dashboard.",
            "Z is a key of the queue (2): Hold the whole queue, or release it.",
        ]
        await shown.press("2", "Z")
        assert shown.said.splitlines()[2:] == ["The queue is held. Running runs continue."], "there it does that"


async def test_the_help_names_every_key_of_the_screen_at_hand(show: Show, alive: Any) -> None:
    async with show(size=(120, 60)) as shown:
        active = shown.app.screen.active_bindings.values()
        ours = [each.tooltip for each in active if each.enabled and each.binding.id and each.tooltip]
        await shown.press("question_mark")
        said = ""
        for _ in range(4):  # more pages than it has
            said += " ".join(re.sub("[│╭╮╰╯─▃▇█▁▂▄▅▆]", " ", shown.text).split())
            await shown.press("pagedown")
        assert [sentence for sentence in ours if sentence[:30] not in said] == []
        await shown.press("escape")
        assert type(shown.app.screen).__name__ == "RunsScreen"


async def test_the_palette_has_every_action_of_the_screen(show: Show, alive: Any) -> None:
    async with show() as shown:
        commands = {command.help: command for command in shown.app.get_system_commands(shown.app.screen)}
        for _, binding, enabled, tooltip in shown.app.screen.active_bindings.values():
            if enabled and tooltip and binding.id and not binding.id.startswith("table."):
                assert tooltip in commands
        await commands["One line for all seeds of a recipe: mean ± spread."].callback()
        await shown.settle()
        assert shown.app.screen.is_grouped


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "dashboard.toml"
    view = View("note:\x7f|x 🙂", "-sst", True, {'a"b': False}, ("sst", "na]me"))
    views = {'a "name" ]': view, "b.c": View(), "[red]": View("x", columns={}, pinned=())}
    settings = Settings("ansi-dark", {"toggles": False}, views, True, ("name",))
    write_settings(file, settings)
    assert read_settings(file) == settings


@pytest.mark.parametrize(
    "text",
    [
        "theme = 3",
        "bell = 'x'",
        "columns = 1",
        "[filters]\na = 1",
        "nonsense",
        "pinned = 'x'",
        "views = 1",
        "[views]\na = 1",
        "[views.a]\nfilter = 1",
        "[views.a]\npinned = [1]",
        "[views.a.columns]\nb = 1",
    ],
)
def test_settings_that_cannot_be_read_are_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "dashboard.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"fix it, or delete it"):
        read_settings(file)


def test_a_theme_that_there_is_not_is_refused_with_those_there_are(registry: Path) -> None:
    with pytest.raises(UsageError, match=r"dark, light, ansi-dark, ansi-light .* but found 'nope'"):
        dashboard(parser().parse_args(["--db", str(registry), "--theme", "nope"]))


def test_a_theme_may_be_named_as_the_tour_names_it(registry: Path) -> None:
    [row] = [line for line in TOUR.read_text(encoding="utf-8").splitlines() if line.startswith("| themes |")]
    names = [name for name in re.findall("`([a-z-]+)`", row) if name != "t"]
    assert {"dark", "light", "ansi-dark", "ansi-light"} <= set(names)
    for name in [*names, "ansi"]:
        dashboard(parser().parse_args(["--db", str(registry), "--theme", name]))


async def test_a_short_name_of_a_theme_stands_in_the_settings_too(registry: Path) -> None:
    app = Dashboard(registry=registry, settings=Settings(theme="light"))
    app.poll_seconds = 0
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.theme == LIGHT


async def test_the_screen_to_begin_with_is_chosen_on_the_command_line(registry: Path) -> None:
    for name in ("queue", "paper", "devices"):
        app = dashboard(parser().parse_args(["--db", str(registry), "--screen", name]))
        app.poll_seconds = 0
        async with app.run_test() as pilot:
            await pilot.pause()
            assert app.current_mode == name


async def test_the_first_screens_are_numbered_and_clicked(show: Show, alive: Any) -> None:
    async with show() as shown:
        for keys, mode in (("2", "queue"), ("3", "paper"), ("4", "devices"), ("1", "runs")):
            await shown.press(keys)
            assert shown.app.current_mode == mode
        await shown.pilot.click("HomeLine", offset=(18, 0))
        await shown.settle()
        assert shown.app.current_mode == "queue"


async def test_where_there_is_little_room_the_first_screens_keep_their_names_before_what_is_over_is_counted(
    show: Show, alive: Any
) -> None:
    names = "1 Runs  2 Queue  3 Paper  4 Devices  5 Data"
    async with show() as shown:
        first = shown.text.splitlines()[0]
        assert names in first and "● 1  ○ 1  ‖ 1" in first and "✗ 1" in first and "toy" not in first
        await shown.press("space", "space")
        first = shown.text.splitlines()[0]
        assert names in first and "◆ 2" in first and "● 1  ○ 1  ‖ 1  ✗ 1" in first and "✓" not in first
    async with show(size=(120, 40)) as shown:
        first = shown.text.splitlines()[0]
        assert names in first and "toy · tiny" in first and "✓ 4" in first
    async with show(size=(60, 24)) as shown:
        assert "1 Runs  2  3  4  5" in shown.text.splitlines()[0]


async def test_q_goes_back_before_it_quits(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("2", "q")
        assert shown.app.current_mode == "runs" and shown.app.is_running
        await shown.pilot.press("q")
    assert not shown.app.is_running


async def test_leaving_while_runs_go_on_says_so(show: Show, alive: Any) -> None:
    async with show() as shown:
        pass
    assert shown.app.farewell == "1 run goes on without the dashboard; `bertmt runs` shows their progress."


async def test_a_bell_rings_when_a_marked_run_ends_but_only_if_wanted(
    show: Show, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung = []
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'cancelled' WHERE state IN ('queued', 'running')")
    added = builder.add("watched")
    # A worker that lives, or the dashboard would settle its run, which has no process.
    claim_next(builder.database, workers.register(builder.database, ["cpu"]), "cpu")

    def end(state: str) -> None:
        builder.database.execute("UPDATE runs SET state = ? WHERE id = ?", (state, added.id))

    for wanted in (False, True):
        end("running")
        async with show(settings=Settings(bell=wanted)) as shown:
            monkeypatch.setattr(shown.app, "bell", lambda wanted=wanted: rung.append(wanted))
            shown.app.marked = {added.id}
            builder.database.execute("UPDATE runs SET note = note || 'x' WHERE id = ?", (added.id,))
            await shown.look()
            end("finished")
            await shown.look()
    builder.database.close()
    assert rung == [True]


async def test_the_processor_is_as_busy_as_between_two_looks(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a look too soon after the one before, which says little, changes nothing."""
    seen = [CpuTimes(10.0, 100.0), CpuTimes(13.0, 108.0), CpuTimes(13.9, 109.0)]  # on four threads
    now = [seen[0]]
    monkeypatch.setattr(machine, "read_cpu", lambda: Cpu("a processor", 4, 2, None, 16384, 8192, now[0]))
    async with show() as shown:
        said = []
        for now[0] in seen:
            shown.app.screen.reload()
            await shown.settle()
            said.append(shown.text.splitlines()[-2].split("cpu ")[1].split("  mem")[0].split(maxsplit=1)[1])
        assert said == ["– of 2", "38% of 2", "38% of 2"]


@pytest.mark.parametrize("size", [(40, 12), (60, 15), (80, 24)])
@pytest.mark.parametrize("first", ["runs", "queue", "paper"])
async def test_the_keys_in_the_last_line_stand_whole_and_beside_each_other(
    show: Show, alive: Any, size: tuple[int, int], first: str
) -> None:
    async with show(size=size, first=first) as shown:
        assert_whole_keys(shown)
        before = shown.text.splitlines()[-1]
        await shown.pilot.resize_terminal(120, 40)
        await shown.settle()
        assert_whole_keys(shown)
        if size[0] == 40:  # where not all had room
            assert len(shown.text.splitlines()[-1].split()) > len(before.split())


@pytest.mark.parametrize("size", [(40, 12), (60, 15)])
async def test_on_every_other_screen_too(show: Show, alive: Any, registry: Path, size: tuple[int, int]) -> None:
    with open_registry(registry) as database:
        ended = [run for run in all_runs(database) if run.id in ("run001", "run002")]
    others = (RunScreen(ended[0]), CompareScreen(ended), NewRunScreen(ended[0]), WorkerLogScreen())
    async with show(size=size) as shown:
        for each in others:
            shown.app.push_screen(each)
            await shown.settle()
            assert_whole_keys(shown)


def assert_whole_keys(shown: Shown) -> None:
    """The last line has keys with their words, as they are shown elsewhere, and no piece of one."""
    last = shown.text.splitlines()[-1]
    keys = [each.binding for each in shown.app.screen.active_bindings.values() if each.binding.show]
    words = dict.fromkeys(f"{shown.app.get_key_display(each)} {each.description}" for each in keys)  # of two keys once
    said = last.partition("▏")[0].split()
    whole = [word for word in words if word in last]
    assert " ".join(whole).split() == said, "nothing but whole keys"
    assert "? help" in whole, "the key that shows all others"


async def test_the_palette_names_every_action_once_and_none_of_textuals_own(show: Show, alive: Any) -> None:
    async with show() as shown:
        titles = [each.title for each in shown.app.get_system_commands(shown.app.screen)]
        assert len(titles) == len(set(titles)) and "Theme  t" in titles
        assert "Filter  /" in titles and "Mark all  A" in titles, "each beside its key"
        assert not {"Keys", "Screenshot", "Maximize", "Quit"} & {title.split("  ")[0] for title in titles}


async def test_t_says_which_theme_it_is_now(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("t")
        assert f"Theme {CYCLE[1]}" in shown.said and "NO_COLOR" not in shown.said


async def test_t_says_that_no_color_leaves_nothing_of_a_theme(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with show() as shown:
        await shown.press("t")
        assert "NO_COLOR leaves out its colours." in shown.said


@pytest.mark.parametrize(("theme", "has_few"), [("ansi-dark", False), ("ansi-light", True), ("dark", True)])
async def test_no_color_leaves_the_terminals_default_colours(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch, theme: str, has_few: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(Dashboard, "has_few_colours", has_few)
    async with show(settings=Settings(theme=theme)) as shown:
        styles = {part.style for strip in shown.app.screen._compositor.render_strips() for part in strip if part.style}
        colours = {str(each.name) for style in styles for each in (style.color, style.bgcolor) if each}
        assert colours == {"default"}, "not black on black, as Textual makes of the default colours"
        assert any(style.reverse for style in styles), "the cursor"


async def test_a_chart_has_its_room_again_after_the_terminal_grew(show: Show, alive: Any) -> None:
    async with show() as shown:
        shown.app.screen.table.go_to("run002")  # which has curves, scores and a log
        await shown.settle()
        before = shown.text
        for size in ((120, 40), (80, 20), (80, 24)):
            await shown.pilot.resize_terminal(*size)
            await shown.settle()
        assert "A chart needs" not in shown.text and shown.text == before


@pytest.mark.parametrize(
    ("term", "few"), [("xterm", True), ("linux", True), ("xterm-256color", False), ("xterm-kitty", False)]
)
def test_with_few_colours_the_terminals_own_are_taken(monkeypatch: pytest.MonkeyPatch, term: str, few: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("COLORTERM", raising=False)
    assert dashboard(parser().parse_args([])).has_few_colours is few
    assert dashboard(parser().parse_args(["--theme", "bertmt-light"]))._first_theme == "bertmt-light"
