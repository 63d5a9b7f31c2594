"""The processor, its memory and the GPUs as graphs, in as many lines as there is room for."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from bertmt.drawing.charts.filled import filled
from bertmt.drawing.numbers import MISSING
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, beside, cells, cut_line, line, pad, plain
from bertmt.services.upkeep.device_history import Graph
from bertmt.services.upkeep.machine import Cpu, Gpu
from tui.formatting.run_signs import bar

GIB = 1024  # MiB
CPU, MEMORY, GPU = "series0", "series1", "series2"  # as in the line about the machine
LABEL = 5
CORE_CELLS = 18  # of a hardware thread at least: its number, ten columns, a percentage
GPU_CELLS = 38  # of a GPU where several share a line
PERCENT_CELLS = 4
LEAST_GRAPH, BAR_CELLS = 4, 3
SHARE_OF_TOTAL, SHARE_OF_MEMORY = 3, 8  # a third and an eighth of the lines
MOST_CORE_LINES = 6


@dataclass(frozen=True)
class Meter:
    """One graph with its name before it and its value behind it."""

    label: str
    shares: np.ndarray
    value: str
    style: str

    def lines(self, width: int, height: int, value_cells: int, ascii_only: bool) -> list[Line]:
        """In so many lines, the value beside the first; the graph gives way where it has no room."""
        room = max(width - LABEL - value_cells - 1, 0)
        drawn = filled(self.shares, room, height, self.style, ascii_only)
        label = [Span(pad(self.label, LABEL), "dim"), *(Span(" " * LABEL) for _ in drawn[1:])]
        value = [Span(" " + pad(self.value, value_cells, right=True)), *(Span("") for _ in drawn[1:])]
        return [cut_line(line(label[row], *graph, value[row]), width) for row, graph in enumerate(drawn)]


def percent(shares: np.ndarray) -> str:
    """The newest share; a dash where nobody knows it."""
    return f"{shares[-1]:.0%}" if len(shares) and np.isfinite(shares[-1]) else MISSING


def memory_words(device: Cpu | Gpu) -> str:
    """Used and total: "4.6/24 GiB", "71/139 GiB"."""
    total, free = device.memory_total_mib, device.memory_free_mib
    if not total or free is None:
        return MISSING
    return f"{(total - free) / GIB:.{0 if total >= 100 * GIB else 1}f}/{total / GIB:.0f} GiB"


def cpu_lines(cpu: Cpu, graph: Graph, width: int, height: int, ascii_only: bool = False) -> list[Line]:
    """All cores together, memory, and each hardware thread: with a graph of its own, or as one sign of many."""
    memory_height = max(1, height // SHARE_OF_MEMORY)
    room = height - memory_height - max(1, height // SHARE_OF_TOTAL)
    total = Meter("cpu", graph.cpu, percent(graph.cpu), CPU)
    memory = Meter("mem", graph.memory, memory_words(cpu), MEMORY)
    behind = max(cells(total.value), cells(memory.value))
    cores = core_lines(graph, width, room, ascii_only, behind) if room > 0 else []
    above = max(1, height - memory_height - len(cores))
    lines = total.lines(width, above, behind, ascii_only) + memory.lines(width, memory_height, behind, ascii_only)
    return [*lines, *cores][:height]


def cpu_sentences(cpu: Cpu, graph: Graph) -> list[str]:
    """The same in words: now, without a past; single threads have no word."""
    busy = percent(graph.cpu)
    return [f"CPU: {'unknown' if busy == MISSING else busy} busy. Memory: {memory_words(cpu)}."]


def gpu_sentences(gpus: Sequence[Gpu], graph: Graph) -> list[str]:
    """A sentence per GPU."""
    found = []
    for gpu in gpus:
        busy = percent(graph.gpus.get(gpu.uuid, (np.full(1, np.nan),))[0])
        facts = [f"{'unknown' if busy == MISSING else busy} busy", f"memory {memory_words(gpu)}"]
        facts += [f"{gpu.temperature_celsius} degrees"] if gpu.temperature_celsius is not None else []
        facts += [f"{gpu.power_watts:.0f} watts"] if gpu.power_watts is not None else []
        found.append(f"GPU {gpu.index}, {safe_text(gpu.name)}: {', '.join(facts)}.")
    return found


def core_lines(
    graph: Graph, width: int, height: int, ascii_only: bool = False, value_cells: int = PERCENT_CELLS
) -> list[Line]:
    """Each hardware thread: as few beside each other as the height allows, so that graphs are long.

    Args:
        value_cells: behind the graphs above; where no two threads stand beside each other, now is in one column.
    """
    count = len(graph.cores)
    if not count:
        return []
    most = max(1, width // CORE_CELLS)
    if ceil(count / most) > height:
        return _as_signs(graph, width, height, ascii_only)
    columns = next(each for each in range(1, most + 1) if ceil(count / each) <= height)
    rows = ceil(count / columns)
    of_each = min(MOST_CORE_LINES, height // rows)
    own = (width - 2 * (columns - 1)) // columns
    behind = value_cells if columns == 1 else PERCENT_CELLS
    cores = [
        Meter(f"{number:>4}", shares, percent(shares), CPU).lines(own, of_each, behind, ascii_only)
        for number, shares in graph.cores.items()
    ]
    blocks = [cores[start : start + columns] for start in range(0, count, columns)]
    return [each for block in blocks for each in beside(block, [own] * len(block))]


def _as_signs(graph: Graph, width: int, height: int, ascii_only: bool) -> list[Line]:
    """Of very many, each one's newest share as one sign; as many as fit."""
    newest = np.array([shares[-1] for shares in graph.cores.values()])
    signs = plain(filled(newest, len(newest), 1, CPU, ascii_only)[0])
    room = max(width - LABEL - 1, 1)
    parts = [signs[start : start + room] for start in range(0, len(signs), room)][:height]
    return [line(Span(pad("" if row else "each", LABEL), "dim"), Span(part, CPU)) for row, part in enumerate(parts)]


def gpu_lines(gpus: Sequence[Gpu], graph: Graph, width: int, height: int, ascii_only: bool = False) -> list[Line]:
    """Each GPU: use and memory over time, temperature and power; beside each other where lines are few."""
    if not gpus:
        return []
    columns = min(max(1, width // GPU_CELLS), ceil(len(gpus) / max(height, 1)))
    rows = ceil(len(gpus) / columns)
    own = (width - 2 * (columns - 1)) // columns
    of_each = max(1, height // rows)
    drawn = [_gpu(gpu, graph, own, of_each, ascii_only) for gpu in gpus]
    blocks = [drawn[start : start + columns] for start in range(0, len(gpus), columns)]
    lines = [each for block in blocks for each in beside(block, [own] * len(block))]
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], line(Span(f"and {len(gpus) - (height - 1) * columns} more", "dim"))]


def _gpu(gpu: Gpu, graph: Graph, width: int, height: int, ascii_only: bool) -> list[Line]:
    nothing = np.full(1, np.nan)
    busy, memory = graph.gpus.get(gpu.uuid, (nothing, nothing))
    of_use = Meter(f"gpu{gpu.index}", busy, percent(busy), GPU)
    of_memory = Meter("mem", memory, memory_words(gpu), MEMORY)
    facts = [f"{gpu.temperature_celsius} °C"] if gpu.temperature_celsius is not None else []
    facts += [f"{gpu.power_watts:.0f} W"] if gpu.power_watts is not None else []
    if height == 1:
        return [_in_one_line(of_use, of_memory, facts, width, ascii_only)]
    half = (width - 2) // 2
    use = of_use.lines(half, height - 1, 4, ascii_only)
    graphs = beside([use, of_memory.lines(half, height - 1, cells(of_memory.value), ascii_only)], [half, half])
    return [cut_line(line(Span(safe_text(gpu.name) + "  ", "title"), Span("  ".join(facts))), width), *graphs]


def _in_one_line(of_use: Meter, of_memory: Meter, facts: Sequence[str], width: int, ascii_only: bool) -> Line:
    """Graphs share what words leave; without room for graphs there are bars, then words alone."""
    behind = "".join(f"  {fact}" for fact in facts)
    room = (width - cells(behind) - cells(of_memory.value) - 2 * LABEL - 4 - 4) // 2
    if room >= LEAST_GRAPH:
        use = of_use.lines(LABEL + room + 5, 1, 4, ascii_only)[0]
        memory = of_memory.lines(LABEL + room + 1 + cells(of_memory.value), 1, cells(of_memory.value), ascii_only)[0]
        return line(*use, "  ", *memory, behind)
    newest = of_use.shares[-1]
    filled_bar = Span(bar(float(newest) if np.isfinite(newest) else 0.0, BAR_CELLS), of_use.style)
    words = " ".join(each for each in (f"{of_use.value:>4}", of_memory.value, *facts) if each)
    return cut_line(line(Span(pad(of_use.label, LABEL), "dim"), filled_bar, f" {words}"), width)
