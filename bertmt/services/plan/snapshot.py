"""What the code and its environment are now, to be stored with a run and compared when it starts.

Nothing is remembered: a dashboard and a worker live while the code changes, and a child runs what is on disk then.
"""

import hashlib
import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path

from bertmt.registry.records import Snapshot
from bertmt.version import __version__

PACKAGE = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy", "scipy", "sqlite-utils", "pysqlite3")
MOST_DIFF_BYTES = 1 << 20


def code_digest() -> str:
    """A hash of the package's source files: equal digests, equal code."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".toml") and path.is_file():
            digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def take_snapshot() -> Snapshot:
    """The code on disk and the environment of this process."""
    source = {"version": __version__, **_git_state()}
    environment = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }
    return Snapshot(code_digest(), source, environment)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git_state() -> dict[str, str]:
    """Commit and uncommitted diff of the package, where it lies in its own git checkout; else nothing.

    A package installed into some other project's tree is not tracked there, and that project's commit says nothing.
    """
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return {}
    commit = _git("rev-parse", "HEAD")
    diff = _git("diff", "HEAD", "--", ".")
    if commit is None or diff is None:
        return {}
    if len(diff) > MOST_DIFF_BYTES:
        diff = diff[:MOST_DIFF_BYTES] + "\n[cut]"
    return {"commit": commit.strip(), "diff": diff}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=PACKAGE, capture_output=True, text=True, errors="replace", timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
