"""Wall time of whole commands, beside `python -c pass`."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measuring import Figure, paired_medians
from bench.registries import TWELVE, filled_registry, finish_all
from bertmt.tasks.builtin import BUILTIN

COMMAND = Path(sys.executable).parent / "bertmt"


def running(command: Sequence[str | Path]) -> Callable[[], object]:
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def figures() -> list[Figure]:
    nothing = running([sys.executable, "-c", "pass"])
    version, pass_ = paired_medians(running([COMMAND, "--version"]), nothing)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        with filled_registry(path, 1000) as database:
            finish_all(database)
        listed, pass_again = paired_medians(running([COMMAND, "--db", path, "runs"]), nothing)
        three, twelve = Path(folder) / "three" / "runs.db", Path(folder) / "twelve" / "runs.db"
        for path, tasks in ((three, BUILTIN), (twelve, TWELVE)):
            with filled_registry(path, 10_000, tasks) as database:
                finish_all(database)
        many, few = paired_medians(
            running([COMMAND, "--db", twelve, "runs", "--limit", "20"]),
            running([COMMAND, "--db", three, "runs", "--limit", "20"]),
        )
    return [
        Figure("bertmt --version", version * 1e3, "ms", 120, peer="python -c pass", peer_value=pass_ * 1e3),
        Figure("bertmt runs, 1,000 runs", listed * 1e3, "ms", 300, peer="python -c pass", peer_value=pass_again * 1e3),
        Figure("the newest 20 of 10,000 runs, 12 tasks", many * 1e3, "ms", peer="3 tasks", peer_value=few * 1e3),
    ]
