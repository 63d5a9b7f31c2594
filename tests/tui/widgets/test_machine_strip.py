"""The line about the machine: as many lines as its parts need in the width that there is."""

from textual.app import App, ComposeResult

from bertmt.devices.cpu import Cpu
from bertmt.services.browse.workload import Workload
from bertmt.services.upkeep.machine import Machine
from tui.widgets.machine_strip import MachineStrip, Surroundings

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
