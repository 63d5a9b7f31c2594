"""Torch lives only in children: proved in fresh interpreters, detours included."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
HEAVY = ("torch", "transformers", "peft", "pandas", "jaxtyping")
# What only children import; every other package is imported by CLI, TUI or worker.
CHILDREN = {"models", "losses", "own_code", "training", "prediction"}
PACKAGES = sorted({path.parent.name for path in (REPOSITORY / "bertmt").glob("*/__init__.py")} - CHILDREN)
FOLDERS = [f"bertmt/{name}" for name in PACKAGES] + ["tui"] * (REPOSITORY / "tui").is_dir()

# The one module that brings sqlite_utils, which imports pandas where it finds it. The registry imports it only when
# its schema is behind; an import of it by any other module would be found here, and at the start of a command below.
MIGRATIONS = "bertmt.registry.migrations"

# Stops whoever asks for a heavy package, and remembers it where the failure is caught.
IMPORT_ALL = """
import importlib, sys

class Stop:
    asked = []

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            self.asked.append(name)
            raise ImportError(f"{name} is heavy")

heavy = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Stop())
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    finally:
        if Stop.asked:
            sys.exit(f"{name} imports {Stop.asked}")
print(len(sys.argv) - 2)
"""


def modules_of(folder: str) -> list[Any]:
    """The dotted names of all modules in a folder, `__main__` included."""
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    dotted = [file.relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".") for file in files]
    return [name.removesuffix(".__init__") for name in dotted]


def import_all(names: list[Any]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", IMPORT_ALL, ",".join(HEAVY), *names]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_of_a_light_package_imports_a_heavy_one(folder: str) -> None:
    names = [name for name in modules_of(folder) if name != MIGRATIONS]
    done = import_all(names)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(len(names))]


def test_the_modules_outside_the_packages_are_light_too() -> None:
    names = [f"bertmt.{path.stem}" for path in (REPOSITORY / "bertmt").glob("*.py") if not path.stem.startswith("__")]
    done = import_all(["bertmt", *names])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["bertmt.losses.cross_entropy", "bertmt.models.encoder", MIGRATIONS])
def test_a_heavy_import_would_be_seen(name: str) -> None:
    assert import_all([name]).stderr.startswith(f"{name} imports [")


# What the start of a command may not import, beside what no command may.
SLOW_TO_START = ("numpy", "scipy", "sqlite_utils", "textual", *HEAVY)
has_command_line = pytest.mark.skipif(not (REPOSITORY / "bertmt/cli/main.py").exists(), reason="no command line yet")


def start(folder: Path, *words: Any) -> tuple[subprocess.CompletedProcess[str], list[str], set[str]]:
    """Run the installed command; its outcome, and the top-level packages that its process imported."""
    program = Path(sys.executable).with_name("bertmt")
    # As `python -X importtime`, for a program that starts Python itself: one line per import on stderr.
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    for name in ("BERTMT_DB", "_TYPER_COMPLETE_ARGS"):
        environment.pop(name, None)
    done = subprocess.run([program, *words], cwd=folder, env=environment, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert len(lines) > 20, done.stderr
    return done, said, {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.fixture(scope="module")
def folder_with_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose registry exists, is of this version, and holds a run."""
    folder = tmp_path_factory.mktemp("registry")
    done, said, _ = start(folder, *QUEUE)
    assert done.returncode == 0, said
    return folder


QUEUE = ("queue", "--preset", "baseline", "--data", "toy", "--set", "encoder=tiny")


@has_command_line
def test_asking_for_the_version_imports_nothing_slow(tmp_path: Path) -> None:
    done, said, imported = start(tmp_path, "--version")
    assert done.returncode == 0, said
    # The records of runs need msgspec: a command that lists none, or writes its help, need not wait for it.
    assert imported & {*SLOW_TO_START, "msgspec", "sqlite3"} == set()


@has_command_line
@pytest.mark.parametrize(
    "words", [("runs",), ("runs", "--json"), ("--help",), ("presets",), ("queue", "--help")], ids=" ".join
)
def test_listing_imports_nothing_slow(folder_with_a_run: Path, words: tuple[str, ...]) -> None:
    done, said, imported = start(folder_with_a_run, *words)
    assert done.returncode == 0, said
    assert imported & set(SLOW_TO_START) == set()


@has_command_line
def test_queueing_into_a_registry_of_this_version_imports_nothing_slow(folder_with_a_run: Path) -> None:
    done, said, imported = start(folder_with_a_run, *QUEUE, "--seed", "1")
    assert done.returncode == 0, said
    assert imported & set(SLOW_TO_START) == set()
