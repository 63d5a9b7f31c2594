"""The machine at work: history per core and per GPU, which run is where, and whose memory it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from bertmt.drawing.numbers import counted
from bertmt.drawing.sentences import sentence_page
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.run_formatting import common_scale
from bertmt.services.upkeep.device_history import COLUMN_SECONDS, Graph, threads_of
from bertmt.services.upkeep.devices import Devices, Holder, Place, look_at_devices
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.plain.words import in_words
from tui.registry_lane import Session
from tui.screens.devices.panels import cpu_lines, cpu_sentences, gpu_lines, gpu_sentences
from tui.screens.devices.tables import HOLDERS, PLACES, holder_cell, owner_lines, place_cell
from tui.screens.home_screen import HomeScreen
from tui.widgets.drawing import Drawing
from tui.widgets.frame import name_frame
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

MOST_COLUMNS = 240  # of a graph: of eight minutes
HUGE = 160  # cells from which on tables stand beside the graphs, as the class -huge
FRAME = 2  # lines of a frame
LEAST_OF_CPU, LEAST_OF_HOLDERS = 3, 4
WITHOUT_HOLDERS = 16  # lines below which there is no room for the processes
NO_WORKER = line(
    "No worker is running: ", Span("w", "mark"), " on the queue, or ", Span("bertmt worker", "accent"), ", starts one."
)
NO_GPU = "no NVIDIA GPU"


@dataclass(frozen=True)
class Look:
    """What one load brings."""

    devices: Devices
    graph: Graph
    running: list[Run]
    counts: dict[State, int]
    speeds: Mapping[str, float]


@dataclass(frozen=True)
class Heights:
    """Lines of each part, without its frame; the processes get the rest."""

    cpu: int
    gpu: int
    places: int
    has_holders: bool


def heights_of(full: int, gpus: int, places: int) -> Heights:
    """How the parts share a column of so many lines; each GPU has a line at least, while the processor has three."""
    has_holders = full >= WITHOUT_HOLDERS
    of_places = 1 + max(1, min(places, full // 6))
    frames = FRAME * (2 + has_holders + bool(gpus))
    budget = full - frames - of_places - LEAST_OF_HOLDERS * has_holders
    gpu = max(min(gpus, budget - LEAST_OF_CPU), min(4 * gpus, budget // 2), 1) if gpus else 0
    cpu = max(1, min(budget - gpu, max(LEAST_OF_CPU, full // 3)))
    return Heights(cpu, gpu, of_places, has_holders)


class CpuPanel(Drawing):
    """The processor and its memory."""

    look: Look | None = None

    def to_lines(self, width: int, height: int) -> list[Line]:
        if self.look is None:
            return []
        return cpu_lines(self.look.devices.machine.cpu, self.look.graph, width, height, self.ascii_only)

    def to_words(self, width: int, height: int) -> list[Line]:
        if self.look is None:
            return []
        return sentence_page(cpu_sentences(self.look.devices.machine.cpu, self.look.graph), width)


class GpuPanel(Drawing):
    """The GPUs."""

    look: Look | None = None

    def to_lines(self, width: int, height: int) -> list[Line]:
        if self.look is None:
            return []
        return gpu_lines(self.look.devices.machine.gpus, self.look.graph, width, height, self.ascii_only)

    def to_words(self, width: int, height: int) -> list[Line]:
        if self.look is None:
            return []
        return sentence_page(gpu_sentences(self.look.devices.machine.gpus, self.look.graph), width)


class DevicesScreen(RunActions, HomeScreen):
    """Graphs above or beside two tables."""

    MODE = "devices"
    SUBJECT = "the devices"
    GUIDE: ClassVar[tuple[str, ...]] = (
        f"This machine. A column of a graph is {COLUMN_SECONDS:g} seconds, the newest at the right, the top is 100 %; "
        "the history goes back to when the dashboard was opened, 15 minutes at most. Hardware threads and GPUs are "
        "those that this process may use.",
        "Runs: every slot of every worker, with the run that is on it; Enter opens the run. Which of several slots on "
        "one device a run is on is not recorded: they are filled in the order in which runs were started.",
        "Processes: those with most memory of GPUs first, then those with most memory. Memory that processes share is "
        "counted for each. A process that is out of sight, as outside of a container, has a number alone.",
        "Tab goes from the runs to the processes, and back.",
    )
    DEFAULT_CSS = """
    DevicesScreen #devices { height: 1fr; layout: vertical; }
    DevicesScreen #graphs, DevicesScreen #tables { height: auto; }
    DevicesScreen #tables { height: 1fr; }
    DevicesScreen .framed { padding: 0 1; }
    DevicesScreen Drawing { height: 1fr; }
    DevicesScreen #holders-frame { height: 1fr; }
    DevicesScreen #owners { height: auto; }
    DevicesScreen.-huge #devices { layout: horizontal; }
    DevicesScreen.-huge #graphs { width: 1fr; height: 1fr; }
    DevicesScreen.-huge #tables { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab,shift+tab", "other_table", "runs, processes", "Go to the processes, and back to the runs.",
            "devices.tab", shown=True, display="Tab"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._look: Look | None = None

    def compose(self) -> ComposeResult:
        yield HomeLine("devices")
        places: Table[Place] = Table(PLACES, self._place_cell, place_key, id="places")
        holders: Table[Holder] = Table(HOLDERS, holder_cell, lambda row: (row.pid, row.began), id="holders")
        with Container(id="devices"):
            with Vertical(id="graphs"):
                with Vertical(id="cpu-frame", classes="framed"):
                    yield CpuPanel()
                with Vertical(id="gpu-frame", classes="framed"):
                    yield GpuPanel()
            with Vertical(id="tables"):
                with Vertical(id="places-frame", classes="framed"):
                    yield places
                    yield TextLines(lambda width: [cut_line(NO_WORKER, width)], id="no-place", classes="hidden")
                with Vertical(id="holders-frame", classes="framed"):
                    yield TextLines(id="owners")
                    yield holders
        yield KeyLine()

    def _place_cell(self, row: Place, column: Column) -> Span:
        return place_cell(row, column, self._look.speeds if self._look is not None else {})

    @property
    def places(self) -> "Table[Place]":
        """The slots."""
        return self.query_one("#places", Table)

    @property
    def holders(self) -> "Table[Holder]":
        """The processes."""
        return self.query_one("#holders", Table)

    def on_mount(self) -> None:
        self.places.focus()

    async def load(self) -> None:
        look = self._look = await self.dashboard.ask(look_around)
        self.query_one(HomeLine).show_counts(look.counts, common_scale(look.running))
        for panel in (self.query_one(CpuPanel), self.query_one(GpuPanel)):
            panel.look = look
            panel.redraw()
        self.places.show(look.devices.places)
        self.places.set_class(not look.devices.places, "hidden")
        self.query_one("#no-place").set_class(bool(look.devices.places), "hidden")
        self.holders.show(look.devices.holders)
        self.query_one("#owners", TextLines).show(lambda width: owner_lines(look.devices.holders, width))
        self._show_titles(look)
        self._arrange()

    def _show_titles(self, look: Look) -> None:
        cpu, gpus = look.devices.machine.cpu, look.devices.machine.gpus
        threads = f"{counted(cpu.cores, 'core')}, {counted(cpu.logical, 'thread')}"
        title = "  ".join(each for each in ("CPU", cpu.name, threads) if each)
        idle = sum(place.run is None for place in look.devices.places)
        titles = {
            "cpu": title if gpus else f"{title} · {NO_GPU}",
            "gpu": counted(len(gpus), "GPU"),
            "places": f"Runs  {counted(len(look.devices.places), 'slot')}, {idle} idle",
            "holders": f"Processes  {len(look.devices.holders):,}",
        }
        for name, text in titles.items():
            name_frame(self.query_one(f"#{name}-frame"), text)

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Share the lines among the parts."""
        if self._look is None:
            return
        gpus, places = len(self._look.devices.machine.gpus), len(self._look.devices.places)
        full = self.size.height - 2
        heights = heights_of(full, gpus, places)
        cpu, gpu, of_places = (self.query_one(f"#{name}-frame") for name in ("cpu", "gpu", "places"))
        gpu.set_class(not gpus, "hidden")
        is_beside = self.size.width >= HUGE and not in_words()
        self.query_one("#holders-frame").set_class(not (heights.has_holders or is_beside), "hidden")
        cpu.styles.height = "1fr" if is_beside else (1 if in_words() else heights.cpu) + FRAME
        gpu.styles.height = "1fr" if is_beside else heights.gpu + FRAME
        of_places.styles.height = (1 + max(1, min(places, full // 2)) if is_beside else heights.places) + FRAME

    def current_run(self) -> Run | None:
        row = self.holders.current if self.holders.has_focus else self.places.current
        return None if row is None else row.run

    def chosen_runs(self) -> list[Run]:
        run = self.current_run()
        return [] if run is None else [run]

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, Place | Holder) and event.row.run is not None:
            self.open_run(event.row.run)
        else:
            self.dashboard.notify("No run of this registry is there.", severity="warning")

    def action_other_table(self) -> None:
        tables = [table for table in (self.places, self.holders) if table.is_on_screen]
        behind = [table for table in tables if not table.has_focus] or tables
        if behind:
            behind[0].focus()


def place_key(row: Place) -> tuple[int, str, str]:
    """A slot; a run without one by its id."""
    return (row.worker.key, row.slot, "") if row.worker is not None else (0, "", row.run.id if row.run else "")


def look_around(session: Session) -> Look:
    """On the registry's thread."""
    session.runs.refresh()
    running = [row.run for row in session.runs.rows("state:running")]
    devices = look_at_devices(session.database, running, session.history)
    machine = devices.machine
    graph = session.history.graph(MOST_COLUMNS, threads_of(machine.cpu), [gpu.uuid for gpu in machine.gpus])
    return Look(devices, graph, running, session.runs.counts(), session.speeds.of(running))
