"""What the contract tests read: the files of the project as git would commit them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from source_files import Source

REPOSITORY = Path(__file__).resolve().parents[2]


def tracked_files() -> list[Path]:
    """Files that are in git or would be: ignored ones (environments, runs) are not the project."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
        names = listed.splitlines()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no git
        folders = ("bertmt", "tui", "tests", "bench", "torture", "docs")
        found = [path for folder in folders for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
        found += [path for path in REPOSITORY.iterdir() if path.is_file()]
        names = [str(path.relative_to(REPOSITORY)) for path in found]
    paths = [REPOSITORY / name for name in sorted(set(names))]
    return [path for path in paths if path.is_file() and path.suffix != ".pyc"]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """Every file of the project."""
    return tracked_files()


@pytest.fixture(scope="session")
def sources(project_files: list[Path]) -> list[Source]:
    """Every Python file of the project: program, tests and benchmarks."""
    python = [path for path in project_files if path.suffix == ".py"]
    found = [Source(path.relative_to(REPOSITORY).as_posix(), path.read_text(encoding="utf-8")) for path in python]
    assert len(found) > 20, "the list of source files is broken"
    return found


@pytest.fixture(scope="session")
def program(sources: list[Source]) -> list[Source]:
    """The Python files of the program itself."""
    return [source for source in sources if source.in_package("bertmt", "tui")]


@pytest.fixture(scope="session")
def planted() -> Callable[..., list[Source]]:
    """Sources of a small made-up tree, {path: text}: what a rule must find there shows that it can find anything."""
    return lambda tree: [Source(name, text) for name, text in tree.items()]
