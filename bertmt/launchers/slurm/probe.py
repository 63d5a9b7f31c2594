"""What `bertmt doctor` has a node tell of itself: `python -m bertmt.launchers.slurm.probe FOLDER`, as a job."""

import importlib.metadata
import json
import platform
import socket
import sys
import time
from pathlib import Path

from bertmt import atomic_files
from bertmt.bounded_files import MEBIBYTE, read_text
from bertmt.version import __version__

PACKAGES = ("torch", "numpy", "safetensors")
ANSWER = "answer.json"


def told() -> dict[str, object]:
    """Versions, the host, and what its clock says."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "none"
    about = {"bertmt": __version__, "Python": platform.python_version(), **versions}
    return {"host": socket.gethostname(), "time": time.time(), "versions": about}


def main(folder: Path) -> None:
    """Write the answer where the question lies, which proves that the folder is shared."""
    question = read_text(folder / "question", MEBIBYTE)
    atomic_files.write_text(folder / ANSWER, json.dumps({"question": question, **told()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
