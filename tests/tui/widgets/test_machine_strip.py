"""The line about the machine, where it is told before it has a width."""

from textual.app import App, ComposeResult

from bertmt.devices.cpu import Cpu, CpuTimes
from bertmt.services.browse.workload import Workload
from bertmt.services.upkeep.machine import Machine
from tui.themes import THEMES
from tui.widgets.machine_strip import MachineStrip, Surroundings

CPU = Cpu("a processor", 4, 2, None, 16384, 8192, CpuTimes(0.0, 0.0))


class Early(App[None]):
    """Tells it before anything is laid out."""

    def compose(self) -> ComposeResult:
        yield MachineStrip()

    def on_load(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def on_mount(self) -> None:
        strip = self.query_one(MachineStrip)
        assert not strip.size.width
        strip.show(Surroundings(Workload((), 0, False), Machine(CPU, ())))


async def test_it_takes_the_lines_that_it_needs_in_its_width() -> None:
    app = Early()
    async with app.run_test(size=(100, 10)) as pilot:
        await pilot.pause()
        strip = app.query_one(MachineStrip)
        assert strip.size.height == 1
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert strip.size.height == 2
