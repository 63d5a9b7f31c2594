"""From the start of a training child of bertmt to its first step: what a user waits for."""

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.training.contenders import Order
from bertmt.recipe.loading import to_json
from bertmt.run_folder.layout import RunFolder, RunOrder

PATIENCE = 600.0


def run_folder(order: Order, path: Path) -> RunFolder:
    """A run folder as a worker makes it."""
    folder = RunFolder(path)
    recipe = order.recipe
    about = RunOrder(run_id="bench", name="bench", attempt=1, data=order.data, extra_data_file="", device=order.device)
    folder.create(about, to_json(recipe), recipe.trained())
    return folder


def first_step(order: Order) -> dict[str, float]:
    """Seconds from the start of a child to its `started` and its first `step` event, and of the dev evaluation between.

    The child does what it always does: it evaluates before its first step, all of dev unless the order limits it.
    """
    with tempfile.TemporaryDirectory() as files:
        folder = run_folder(order, Path(files) / "run")
        start = time.time()
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "bertmt.training", str(folder.path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            events = _events_until_step(folder.events(1), child)
        finally:
            child.kill()
            child.wait()
    at = {each["event"]: datetime.fromisoformat(each["at"]).timestamp() for each in reversed(events)}
    evaluation = next((each["seconds"] for each in events if each["event"] == "evaluated"), 0.0)
    step = at["step"] - start
    return {
        "to_first_step": step,
        "to_started": at["started"] - start,
        "dev_evaluation": evaluation,
        "without_dev_evaluation": step - evaluation,
    }


def _events_until_step(path: Path, child: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        if any(each["event"] == "step" for each in events):
            return events
        if child.poll() is not None:
            raise RuntimeError(f"The child ended with {child.returncode} before its first step; its events: {events}")
        time.sleep(0.02)
    raise RuntimeError(f"The child took no step within {PATIENCE:.0f} s.")
