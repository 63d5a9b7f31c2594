"""The figures of the dashboard, as a table and as JSON."""

import os
import platform
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.dashboard.day import SETTLED_HOURS, Day, replay
from bench.dashboard.measurements import Keys, first_paint, import_seconds, keys, p95, step_to_screen
from bench.dashboard.registries import named_registry
from bench.measuring import Figure
from bench.registries import TWELVE

SIZES = ((80, 24), (120, 40), (200, 60))
KEYS = 100
PAINTS = 5
PAINT_MS, MORE_THAN_IMPORTS_MS = 500.0, 150.0
KEY_MS, KEY_BYTES = 16.0, 3000
GROWTH = 1.1  # of memory, from the hour when it is settled to the last


def measured(hours: int = 24) -> dict[str, Any]:
    """All figures by their keys in JSON, times in ms, memory in MiB; it takes about five minutes."""
    found: dict[str, Any] = {"imports_ms": 1e3 * import_seconds()}
    with tempfile.TemporaryDirectory() as folder:
        large, curves, wide = (Path(folder) / name / "runs.db" for name in ("large", "curves", "wide"))
        named_registry(large, 10_000)
        named_registry(curves, 1000, points=5000)
        named_registry(wide, 10_000, tasks=TWELVE)
        for key, path, newest in (
            ("first_paint_10000_runs_ms", large, "run-10000"),
            ("first_paint_1000_runs_5000_points_ms", curves, "run-01000"),
            ("first_paint_10000_runs_12_tasks_ms", wide, "run-10000"),
        ):
            found[key] = 1e3 * statistics.median(first_paint(path, newest) for _ in range(PAINTS))
        for size in SIZES:
            found |= _of_keys(keys(large, 10_000, KEYS, size), f"{size[0]}x{size[1]}")
            found |= _of_keys(keys(curves, 1000, KEYS // 2, size), f"{size[0]}x{size[1]}_with_curves")
        found |= _of_keys(keys(wide, 10_000, KEYS // 2), "12_tasks")
    found["key_to_paint_p95_ms"] = found["key_to_paint_p95_120x40_ms"]
    found["step_to_screen_ms"] = 1e3 * step_to_screen()
    return found | _of_day(replay(hours)) | {"load": os.getloadavg()[0], "machine": platform.platform()}


def _of_keys(taken: Keys, suffix: str) -> dict[str, Any]:
    return {
        f"key_to_paint_median_{suffix}_ms": 1e3 * statistics.median(taken.seconds),
        f"key_to_paint_p95_{suffix}_ms": 1e3 * p95(taken.seconds),
        f"key_bytes_median_{suffix}": statistics.median(taken.sent),
        f"key_bytes_p95_{suffix}": p95(taken.sent),
    }


def _of_day(day: Day) -> dict[str, Any]:
    return {
        "day_hours": len(day.memory),
        "day_replayed_in_s": day.seconds,
        "day_memory_mib": day.memory,
        "day_memory_settled_mib": day.settled,
        "day_memory_last_mib": day.memory[-1],
    }


def targets(found: Mapping[str, Any]) -> dict[str, float]:
    """What the project aims at, by the keys of the figures."""
    paint = max(PAINT_MS, found["imports_ms"] + MORE_THAN_IMPORTS_MS)
    aims = {key: paint for key in found if key.startswith("first_paint")}
    aims |= {key: KEY_MS for key in found if key.startswith("key_to_paint_p95")}
    aims |= {key: KEY_BYTES for key in found if key.startswith("key_bytes_p95")}
    return aims | {"day_memory_last_mib": GROWTH * found["day_memory_settled_mib"], "step_to_screen_ms": 1000}


def figures_of(found: Mapping[str, Any]) -> list[Figure]:
    """As lines of a table."""
    aims, lines = targets(found), []
    for key, value in found.items():
        if isinstance(value, (int, float)):
            unit = next((each for each in ("ms", "MiB", "s", "bytes") if each.lower() in key.split("_")), "")
            lines.append(Figure(key, value, unit, aims.get(key), peer=_peer(key), peer_value=_peer_value(key, found)))
    return lines


def _peer(key: str) -> str:
    if key == "day_memory_last_mib":
        return f"after {SETTLED_HOURS} hours"
    return "imports alone" if key.startswith("first_paint") else ""


def _peer_value(key: str, found: Mapping[str, Any]) -> float | None:
    if key == "day_memory_last_mib":
        return float(found["day_memory_settled_mib"])
    return float(found["imports_ms"]) if key.startswith("first_paint") else None


def figures() -> Sequence[Figure]:
    """What `make bench` lists."""
    return figures_of(measured())
