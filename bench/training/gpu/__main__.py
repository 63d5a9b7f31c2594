"""`python -m bench.training.gpu`: everything about a GPU in a quarter of an hour, in the order of its worth.

Each part is a process with a time limit of its own, and what it found is in the file before the next one begins.
`--device cpu --encoder tiny` goes through all of it on a CPU, as far as that goes.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.training.gpu.parts import PARTS
from bench.training.gpu.scene import BERT_BASE, SIZES, Scene

LAST_WORDS = 3_000  # characters


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.training.gpu", description=__doc__)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--encoder", default=BERT_BASE, help="a name of bertmt's; bert-base has random weights")
    parser.add_argument("--json", type=Path, default=Path("gpu.json"), metavar="FILE")
    parser.add_argument("--seconds", type=float, default=840, help="of all parts together; what is left is not tried")
    parser.add_argument("--examples", type=int, default=SIZES["train"], help="training examples of each task")
    parser.add_argument("--part", action="append", choices=PARTS, help="only these")
    parser.add_argument("--folder", type=Path, help="keep files there, for a later call with other parts")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def tried(part: str, scene: Scene, limit: float) -> dict[str, Any]:
    """A part in a process of its own, which ends with all that it started."""
    start = time.monotonic()
    words = [
        "--device",
        scene.device,
        "--encoder",
        scene.encoder,
        "--folder",
        str(scene.folder),
        "--part",
        part,
        "--alone",
    ]
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.training.gpu", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, complaints = child.communicate(timeout=limit)
        problem = complaints[-LAST_WORDS:] if child.returncode else ""
    except subprocess.TimeoutExpired:
        said, problem = "", f"It was ended after {limit:.0f} s."
    finally:
        end_group(child)
    found = scene.read(part) if problem else json.loads(said)
    return {"works": not problem, "found": found, "problem": problem, "seconds": round(time.monotonic() - start, 1)}


def end_group(child: "subprocess.Popen[str]") -> None:
    """End what is left of the child's own session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Try all parts, and write after each what is known."""
    asked = parsed(arguments)
    if asked.alone:  # one of the processes
        [part] = asked.part
        print(json.dumps(PARTS[part][0](Scene(asked.folder, asked.encoder, asked.device))))
        return {}
    found: dict[str, Any] = {"device": asked.device, "encoder": asked.encoder, "parts": {}}
    until = time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory(prefix="bertmt-gpu-") as scratch:
        scene = Scene((asked.folder or Path(scratch)).absolute(), asked.encoder, asked.device)
        scene.make(asked.examples)
        for part in asked.part or PARTS:
            left = until - time.monotonic()
            if left < 10:
                result = {"works": None, "problem": "No time was left.", "seconds": 0.0}
            else:
                result = tried(part, scene, min(left, PARTS[part][1]))
            found["parts"][part] = result
            asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print(f"{part}: {shown(result)}", flush=True)
    return found


def shown(result: dict[str, Any]) -> str:
    """One line about a part."""
    word = {True: "works", False: "FAILS", None: "not tried"}[result["works"]]
    told = result["problem"].strip().splitlines()[-1:] or [json.dumps(result.get("found"))[:300]]
    return f"{word} ({result['seconds']:.0f} s) {told[0]}"


if __name__ == "__main__":
    main(sys.argv[1:])
