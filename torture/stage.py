"""Where a scenario plays: a registry of its own, the processes that work it, and the way to a quiet end."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bertmt.recipe.loading import matching_preset, preset, to_json
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import NewRun, add_runs, all_runs, transitions
from bertmt.registry.states import State
from bertmt.services.lifecycle.control import requeue, resume
from torture.walk import Expected, expected_of

REPOSITORY = Path(__file__).resolve().parents[1]
STAND_IN, REAL = "torture.stand_in_child", "bertmt.training"
PATIENCE_SECONDS = 90.0
# A run is killed at most so often before it must have come to its end.
ROUNDS = 40
# What a run may say that came to grief here. Where the disk is full, even the reason may find no room.
TRUE_FAILURES = ("No space left on device", "Input/output error", "disk is full", "disk I/O error", "is full, or fails")
TRUE_LOSSES = ("killed by signal 9 (SIGKILL)", "process died without reporting why")


class Stage:
    """One scenario's registry, folder and processes.

    Attributes:
        folder: everything of the scenario; kept where something was wrong.
        expected: by run id, what each must leave.
        record: what went wrong in the processes, a line of JSON each.
        said: what the harness did itself, for whoever looks at the folder later.
        violations: found while it played.
        true_losses: what runs may say that are lost here.
    """

    def __init__(self, folder: Path, child: str = STAND_IN, root: Path | None = None):
        self.folder = folder
        self.root = root or folder / "registry"
        self.root.mkdir(parents=True, exist_ok=True)
        self.path = self.root / "runs.db"
        self.child = child
        self.expected: dict[str, Expected] = {}
        self.record = folder / "faults.jsonl"
        self.violations: list[str] = []
        self.true_losses: tuple[str, ...] = TRUE_LOSSES
        self.processes: list[subprocess.Popen[bytes]] = []
        self._at_end: list[Callable[[], object]] = []
        self._log = (folder / "processes.txt").open("ab")

    def open(self) -> Database:
        """The registry, for the harness itself."""
        return open_registry(self.path, create=True)

    def say(self, line: str) -> None:
        with (self.folder / "harness.txt").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    def add_run(
        self, seed: int, epochs: int = 3, epoch_steps: int = 20, checkpoint_steps: int = 7, pause: int = 2
    ) -> str:
        """Queue a walk."""
        values = {"data": "toy", "encoder": "tiny", "seed": seed, "epochs": epochs, "epoch_steps": epoch_steps}
        values["checkpoint_steps"] = checkpoint_steps
        run_id = self.queue(f"walk-{pause}", "sst-only", values)
        self.expected[run_id] = expected_of(seed, epochs, epoch_steps)
        return run_id

    def queue(self, name: str, preset_name: str, values: dict[str, Any], fingerprints: Any = None) -> str:
        """Queue a run of a preset; its id."""
        recipe = resolved(recipe_from(values, preset(preset_name).recipe()))
        new = NewRun(
            name=name, preset=matching_preset(recipe), from_preset=preset_name, recipe_json=to_json(recipe),
            digest=recipe.digest(), seed=recipe.seed, data="toy", extra_data_file="", fingerprints=fingerprints or {},
        )  # fmt: skip
        with self.open() as database:
            [run_id] = add_runs(database, [new], Snapshot("code", {"version": "0"}, {"python": "3"}))
        return run_id

    def runs(self) -> list[Run]:
        with self.open() as database:
            return all_runs(database)

    def start(
        self, module: str, *arguments: str, spec: str = "", trace: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        """A module as a process of its own, under faults where there are any."""
        process = subprocess.Popen(
            self.command(module, *arguments, spec=spec, trace=trace), stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=self._log, cwd=REPOSITORY, env=self.environment(), start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def command(self, module: str, *arguments: str, spec: str = "", trace: Path | None = None) -> list[str]:
        if not spec and trace is None:
            return [sys.executable, "-m", module, *arguments]
        traced = ["--trace", str(trace)] if trace else []
        around = ["-m", "torture.faults", spec, str(self.root), str(self.record), *traced]
        return [sys.executable, *around, "-m", module, *arguments]

    def environment(self) -> dict[str, str]:
        """Nothing of the user's: neither registry nor settings; one thread."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BERTMT")}
        home = str(self.folder / "home")
        return kept | {
            "HOME": home, "XDG_CONFIG_HOME": home, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1",
            "TERM": "xterm-256color", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def worker(
        self, spec: str = "", child_spec: str = "", slots: int = 1, drain: bool = True, trace: Path | None = None,
        child_trace: Path | None = None, hurried: bool = True,
    ) -> "subprocess.Popen[bytes]":  # fmt: skip
        """A worker, it and its children under faults of their own."""
        child = self.command(self.child, spec=child_spec, trace=child_trace)
        arguments = [
            "hurried" if hurried else "calm",
            json.dumps(child),
            "--db",
            str(self.path),
            "--device",
            "cpu",
            "--slots",
            str(slots),
        ]
        return self.start("torture.worker", *arguments, *(["--drain"] if drain else []), spec=spec, trace=trace)

    def dashboard(self, spec: str = "") -> "subprocess.Popen[bytes]":
        """The dashboard in a pseudo-terminal that somebody reads."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = subprocess.Popen(
            self.command("tui", "--db", str(self.path), spec=spec), stdin=slave, stdout=slave, stderr=slave,
            cwd=REPOSITORY, env=self.environment(), start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.processes.append(process)
        threading.Thread(target=_read_all, args=(master, self.folder / "screen.bin"), daemon=True).start()
        return process

    def wait(self, process: "subprocess.Popen[bytes]", seconds: float = PATIENCE_SECONDS) -> int | None:
        """The exit code; None, and a violation, where it does not end."""
        try:
            code = process.wait(seconds)
            # An end that is told in no log: whoever looks at the folder must be able to tell a kill from a fault.
            self.say(f"{process.pid} ended with {code}")
            return code
        except subprocess.TimeoutExpired:
            self.violations.append(f"{process.args!r:.300} did not end within {seconds:.0f} s")
            process.kill()
            process.wait()
            return None

    def pids(self, word: str = "") -> list[int]:
        """All processes that concern this stage, the harness aside, whose command line holds a word."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with suppress(OSError):
                    line = (entry / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
                    if str(self.root) in line and word in line and _is_alive(entry):
                        found.append(int(entry.name))
        return found

    def children(self) -> list[int]:
        return [pid for pid in self.pids(self.child) if pid not in self.pids("torture.worker")]

    def kill(self, pids: Sequence[int], number: int = signal.SIGKILL) -> int:
        """Send a signal to processes of this stage; how many were there."""
        sent = 0
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                sent += 1
        return sent

    def carry_on(self, child_spec: str = "", slots: int = 2) -> None:
        """Let fresh workers bring every run to its end; what needs a person is done as one would."""
        for _ in range(ROUNDS):
            self.requeue_ended()
            self.wait(self.worker(child_spec=child_spec, slots=slots))
            states = [run.state for run in self.runs()]
            if State.RUNNING in states:
                self.violations.append("a drained worker left a run that is said to be running")
                time.sleep(3.5)
            if all(state is State.FINISHED for state in states):
                return
        self.violations.append(f"not all runs finished after {ROUNDS} workers: {', '.join(states)}")

    def requeue_ended(self) -> None:
        """Queue again what ended otherwise than finished."""
        with self.open() as database:
            for run in all_runs(database):
                failure = run.execution.failure
                if run.state is State.FAILED and not any(word in (failure or "") for word in TRUE_FAILURES):
                    self.violations.append(f"{run.id} failed, and the reason is not true: {failure!r}")
                if run.state is State.LOST and not any(
                    word in transitions(database, run.key)[-1].reason for word in self.true_losses
                ):
                    self.violations.append(f"{run.id} is lost, and the reason is not true")
                if run.state in (State.LOST, State.FAILED, State.CANCELLED):
                    self.say(f"requeued {run.id}, {run.state}: {run.execution.failure}")
                    requeue(database, run)
                elif run.state is State.PAUSED:
                    resume(database, run)

    def fired(self) -> list[dict[str, Any]]:
        """The faults that happened."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text(encoding="utf-8").splitlines()]

    def output(self) -> str:
        """What all processes said."""
        return (self.folder / "processes.txt").read_text(encoding="utf-8", errors="replace")

    def screen(self) -> str:
        """What all dashboards wrote to their terminals."""
        path = self.folder / "screen.bin"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def on_close(self, call: Callable[[], object]) -> None:
        """Call something once no process is left."""
        self._at_end.append(call)

    def close(self) -> None:
        """Leave no process behind."""
        self.kill(self.pids())
        for process in self.processes:
            process.wait()
        self._log.close()
        for call in self._at_end:
            call()


def _is_alive(entry: Path) -> bool:
    return (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] not in "ZX"


def _read_all(handle: int, copy: Path) -> None:
    """Read a terminal until its program has ended, and keep what it showed."""
    with suppress(OSError), copy.open("ab") as file:
        while content := os.read(handle, 1 << 16):
            file.write(content)
            file.flush()
    os.close(handle)
