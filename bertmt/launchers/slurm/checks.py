"""What `bertmt doctor` looks at: whether a job can be submitted, and what a node sees."""

import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertmt import atomic_files
from bertmt.bounded_files import read_json
from bertmt.errors import reason_of
from bertmt.launchers.protocol import Finding, Phase
from bertmt.launchers.slurm.commands import SQUEUE, ask
from bertmt.launchers.slurm.probe import ANSWER, told
from bertmt.launchers.slurm.script import sbatch_command, script
from bertmt.launchers.slurm.settings import SlurmSettings
from bertmt.launchers.slurm.words import rows_of, word_of
from bertmt.run_folder.event_files import tail_lines

# A job that waits longer is taken back: `bertmt doctor` is not to wait for a full cluster.
NODE_SECONDS = 60.0
LOOK_SECONDS = 1.0
# Delayed starts and the ages of files may be wrong by as much; an attempt's times come from its node.
CLOCK_SECONDS = 5.0
PROBE = (sys.executable, "-P", "-m", "bertmt.launchers.slurm.probe")


def checks_of(folder: Path, settings: SlurmSettings) -> Iterator[Finding]:
    """Slurm's commands, a submission that is only tried, and a job that looks around on a node.

    Args:
        folder: the one of all runs.
    """
    found = ask(("sinfo", "--version"))
    if found.failure:
        yield Finding("Slurm", "problem", found.failure, "run it where sbatch and squeue are: on a login node")
        return
    options = " ".join(settings.options()) or "the cluster's defaults"
    yield Finding("Slurm", "ok", f"{found.said.strip()}; {options}; at most {settings.max_jobs} jobs at a time")
    tried = ask(
        [*sbatch_command("bertmt-doctor", Path("/tmp"), Path("/dev/null"), settings), "--test-only"], "#!/bin/sh\n"
    )
    if tried.failure:
        yield Finding("Slurm submits", "problem", tried.failure, "mend [launcher.slurm] in bertmt.toml")
        return
    yield Finding("Slurm submits", "ok", "a job with these settings would be taken")
    yield from _node(folder, settings)


def _node(folder: Path, settings: SlurmSettings) -> Iterator[Finding]:
    """Have a job answer a question that lies in the folder of runs, which is removed afterwards."""
    name = "Slurm node"
    try:
        atomic_files.make_folder(folder)
        with tempfile.TemporaryDirectory(dir=folder.resolve(), prefix=".slurm-") as made:
            yield from _asked(Path(made), settings)
    except OSError as problem:
        yield Finding(name, "problem", f"{folder}: {reason_of(problem)}", "make the folder of runs writable")


def _asked(place: Path, settings: SlurmSettings) -> Iterator[Finding]:
    question = secrets.token_hex(8)
    (place / "question").write_text(question, encoding="ascii")
    command = sbatch_command("bertmt-doctor", place, place / "log", settings)
    sent = ask(command, script(place, 0, settings, PROBE))
    number = sent.said.strip().partition(";")[0]
    if sent.failure or not number.isdecimal():
        yield Finding("Slurm node", "problem", sent.failure or sent.said, "mend [launcher.slurm] in bertmt.toml")
        return
    ended, why = False, ""
    deadline = time.monotonic() + NODE_SECONDS
    try:
        while time.monotonic() < deadline and not ended and not (place / ANSWER).exists():
            time.sleep(LOOK_SECONDS)
            row = next((row for row in rows_of(ask(SQUEUE).said) if row.job == number), None)
            if row is not None:
                word = word_of(row, settings.stop_seconds)
                ended, why = word.phase is Phase.ENDED, f"{word.phase or 'asked'}, {word.reason}"
        time.sleep(LOOK_SECONDS * ended)  # what it wrote last may take a moment over a network
    finally:  # after Ctrl-C, too
        if not (place / ANSWER).exists():
            ask(["scancel", number])
    if (place / ANSWER).exists():
        yield from _compared(read_json(place / ANSWER), question)
        return
    if not ended:
        waited = f"job {number} has not answered after {NODE_SECONDS:.0f} s ({why or 'unknown'}), and was taken back"
        yield Finding("Slurm node", "warning", waited, "try again when the cluster is less busy")
        return
    yield Finding("Slurm node", "problem", f"job {number} did not answer: {_complaint(place / 'log') or why}", ADVICE)


ADVICE = (
    "runs and this Python must lie on a file system that nodes see: make `runs` a link to a folder there, install "
    "bertmt there, and write what a node needs first into `setup`"
)


def _complaint(log: Path) -> str:
    """What the job wrote last, besides Slurm; "": nothing that is seen here."""
    lines = [line.strip()[:300] for line in tail_lines(log, 40)]
    return next((line for line in reversed(lines) if line and "srun:" not in line), "")


def _compared(answer: dict[str, Any], question: str) -> Iterator[Finding]:
    """What a node told, beside what is so here."""
    host = str(answer.get("host"))
    if answer.get("question") != question:
        yield Finding("Slurm node", "problem", f"{host} sees another folder of runs", ADVICE)
        return
    yield Finding("Slurm node", "ok", f"{host} sees the folder of runs")
    here = told()["versions"]
    there = answer.get("versions")
    if not isinstance(here, dict) or not isinstance(there, dict):
        return
    other = [f"{name} {there.get(name)} there, {here[name]} here" for name in here if here[name] != there.get(name)]
    listed = ", ".join(f"{name} {version}" for name, version in here.items())
    advice = "the worker and its nodes should share one environment" if other else ""
    yield Finding("Slurm versions", "problem" if other else "ok", "; ".join(other) or f"as here: {listed}", advice)
    off = abs(float(answer.get("time", 0.0)) - time.time())
    late = off > CLOCK_SECONDS + LOOK_SECONDS
    said = f"{host} is {off:,.0f} s off" if late else f"that of {host} agrees"
    yield Finding("Slurm clock", "warning" if late else "ok", said, "let both ask the same time server" if late else "")
