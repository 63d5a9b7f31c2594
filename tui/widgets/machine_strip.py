"""One or two lines about the machine: workers and what waits, cores and memory, and each GPU."""

from dataclasses import dataclass

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line, wrap_parts
from bertmt.services.browse.workload import Workload, workload
from bertmt.services.upkeep.machine import Cpu, CpuTimes, Gpu, Machine, read_machine, utilization
from tui.formatting.run_signs import bar
from tui.plain.words import in_words, said_line
from tui.registry_lane import Session
from tui.widgets.styled_lines import strip_of, styles_of

GIB = 1024  # MiB
LEAST_SECONDS = 1.0  # between two looks at how busy the processor is: shorter ones flicker
MOST_LINES = 2
JOULES_PER_WATT_HOUR = 3600


@dataclass(frozen=True)
class Surroundings:
    """Who works, what waits, and on what."""

    workload: Workload
    machine: Machine


def surroundings_of(session: Session) -> Surroundings:
    """Look at both; the screen about devices draws what was seen."""
    machine = read_machine()
    session.history.note(machine)
    return Surroundings(workload(session.database), machine)


class MachineStrip(Widget):
    """As many of the parts as fit into its lines; the first ones matter most."""

    DEFAULT_CSS = "MachineStrip { height: auto; background: $surface; }"

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._parts: list[Line] = []
        self._first_in_short: Line = ()
        self._energy_at_first: dict[str, float] = {}
        self._times_before: CpuTimes | None = None
        self._cpu_busy: float | None = None

    def show(self, surroundings: Surroundings) -> None:
        """Show how things are now."""
        gpus = [gpu_part(gpu, self._watt_hours(gpu)) for gpu in surroundings.machine.gpus]
        self._look_at(surroundings.machine.cpu)
        self._parts = [workers_part(surroundings.workload), *gpus, cpu_part(surroundings.machine.cpu, self._cpu_busy)]
        self._first_in_short = workers_part(surroundings.workload, is_short=True)
        if in_words():  # figures that move all the time are on the screen about devices
            del self._parts[1:]
        # Before the first layout there is no width to count lines for: the layout asks for them.
        self.refresh(layout=not self.size.width or self._height_for(self.size.width) != self.size.height)

    def _look_at(self, cpu: Cpu) -> None:
        """How busy the processor was since the look before."""
        times, before = cpu.times, self._times_before
        if times is None or before is None:
            self._times_before = times
        elif times.passed - before.passed >= LEAST_SECONDS * cpu.logical or times.passed < before.passed:
            self._cpu_busy, self._times_before = utilization(cpu, before), times

    def _watt_hours(self, gpu: Gpu) -> float | None:
        """What the card used since it was first seen here; None where it does not count, or its counter went back."""
        if gpu.energy_joules is None:
            return None
        used = gpu.energy_joules - self._energy_at_first.setdefault(gpu.uuid, gpu.energy_joules)
        if used < 0:  # the driver was reloaded
            self._energy_at_first[gpu.uuid] = gpu.energy_joules
            return None
        return used / JOULES_PER_WATT_HOUR

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._height_for(width)

    def _height_for(self, width: int) -> int:
        return min(MOST_LINES, len(self._lines(width)))

    def _lines(self, width: int) -> list[Line]:
        room = max(width - 1, 1)
        lines = wrap_parts(self._parts, room, 3) or [()]
        short = wrap_parts([self._first_in_short, *self._parts[1:]], room, 3) if len(lines) > 1 else lines
        return short if len(short) < len(lines) else lines

    def render_line(self, y: int) -> Strip:
        lines = self._lines(self.size.width)
        shown = lines[y] if y < len(lines) else ()
        return strip_of((Span(" "), *(said_line(shown) if in_words() else shown)), styles_of(self), self.size.width)


def workers_part(found: Workload, is_short: bool = False) -> Line:
    """Workers that are alive, runs that are queued, and whether nothing is started.

    Args:
        is_short: in few words, where that saves a line.
    """
    count = len(found.workers)
    if found.queued and not count and not found.held:  # in the words of `bertmt runs`
        waits = numbers.counted(found.queued, "run waits", "runs wait")
        return line(Span(f"{waits}, no worker" if is_short else f"{waits} and no worker is running", "bad"))
    workers = Span(numbers.counted(count, "worker"), "" if count else "dim")
    doing = ["starts nothing" if worker.starts_nothing else worker.request for worker, _ in found.workers]
    asked = [each for each in doing if each]
    held = Span(" ‖ queue held", "bad") if found.held else ""
    stopping = Span(f" ({', '.join(asked)})", "dim") if asked else ""
    return line(workers, stopping, Span(f" {numbers.count(found.queued)} queued", "dim"), held)


def cpu_part(cpu: Cpu, busy: float | None = None) -> Line:
    """How busy the cores were since the last look, their number, and memory."""
    parts: list[str | Span] = [Span("cpu ", "dim")]
    if cpu.times is not None:
        share = numbers.MISSING if busy is None else f"{busy:.0%}"
        parts += [Span(bar(busy or 0.0), "series0"), f" {share:>4}", Span(f" of {cpu.cores}", "dim")]
    if cpu.memory_total_mib and cpu.memory_free_mib is not None:
        used = cpu.memory_total_mib - cpu.memory_free_mib
        parts += [Span("  mem ", "dim"), Span(bar(used / cpu.memory_total_mib), "series1")]
        parts += [f" {used / GIB:.1f}/{cpu.memory_total_mib / GIB:.0f} GiB"]
    return line(*parts)


def gpu_part(gpu: Gpu, watt_hours: float | None = None) -> Line:
    """Use, memory, temperature and power of one GPU, and the energy that it used since the dashboard was opened."""
    parts: list[str | Span] = [Span(safe_text(f"gpu{gpu.index} "), "dim")]
    if gpu.utilization is not None:
        parts += [Span(bar(gpu.utilization), "series2"), f" {gpu.utilization:.0%}"]
    if gpu.memory_total_mib and gpu.memory_free_mib is not None:
        used = gpu.memory_total_mib - gpu.memory_free_mib
        parts += [" ", Span(bar(used / gpu.memory_total_mib), "series1")]
        parts += [f" {used / GIB:.1f}/{gpu.memory_total_mib / GIB:.0f} GiB"]
    if gpu.temperature_celsius is not None:
        parts += [f" {gpu.temperature_celsius} °C"]
    if gpu.power_watts is not None:
        parts += [f" {gpu.power_watts:.0f} W"]
    if watt_hours is not None:
        parts += [Span(f" {watt_hours:.1f} Wh since here", "dim")]
    return line(*parts)
