"""The line about the machine: as many lines as its parts need in the width that there is."""

import pytest
from textual.app import App, ComposeResult

from bertmt.devices.cpu import Cpu
from bertmt.services.browse.workload import Workload
from bertmt.services.upkeep.machine import Machine
from tui.widgets.machine_strip import MachineStrip, Surroundings, workers_part

CPU = Cpu("a processor", 4, 2, None, 16384, 8192, None)
QUIET = Surroundings(Workload(workers=(), queued=6, held=True), Machine(cpu=CPU, gpus=()))


class Early(App[None]):
    """What is known before the first layout is shown then."""

    def compose(self) -> ComposeResult:
        yield MachineStrip()

    def on_mount(self) -> None:
        self.query_one(MachineStrip).show(QUIET)


async def test_what_is_known_before_the_first_layout_takes_as_many_lines_as_it_needs() -> None:
    """It was wrapped for no width at all, and had a line of nothing for good wherever loading was fast."""
    app = Early()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        strip = app.query_one(MachineStrip)
        assert strip.size.height == 1
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert strip.size.height == 2
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert strip.size.height == 1


def shown(strip: MachineStrip) -> str:
    return "\n".join(strip.render_line(y).text.strip() for y in range(strip.size.height))


async def test_runs_that_wait_without_a_worker_are_a_warning_in_words() -> None:
    app = Early()
    async with app.run_test(size=(120, 24)) as pilot:
        strip = app.query_one(MachineStrip)
        strip.show(Surroundings(Workload(workers=(), queued=4, held=False), Machine(cpu=CPU, gpus=())))
        await pilot.pause()
        assert shown(strip).startswith("4 runs wait and no worker is running   cpu")
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        assert shown(strip).startswith("4 runs wait, no worker   cpu"), "in fewer words where that saves a line"
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert shown(strip).startswith("4 runs wait and no worker is running\n"), "it takes two lines anyway"


@pytest.mark.parametrize(("queued", "held", "style"), [(4, False, "bad"), (0, False, "dim"), (4, True, "dim")])
def test_its_colour_is_that_of_a_warning_only_where_a_worker_would_help(queued: int, held: bool, style: str) -> None:
    part = workers_part(Workload(workers=(), queued=queued, held=held))
    assert part[0].style == style
