"""`make packages`: builds wheel and sdist, installs each into a fresh environment, and works a queue there."""

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bertmt import __version__

REPOSITORY = Path(__file__).resolve().parents[1]
INSTALLED = ("bertmt", "tui")  # what the wheel has; the sdist has the whole project

# Run by the fresh environment's Python, where only what was installed can be found.
INSPECTION = """
import sys
from importlib.resources import files
from importlib.util import find_spec

for package in ("bertmt", "tui"):
    assert find_spec(package).origin.startswith(sys.prefix), f"{package} was not installed: {find_spec(package).origin}"
for package in ("bench", "tests", "torture"):
    assert find_spec(package) is None, f"{package} was installed"
for package, name in (("bertmt", "py.typed"), ("tui", "py.typed"), ("tui", "styles/dashboard.tcss")):
    assert (files(package) / name).is_file(), f"{package}/{name} is missing"
print("all there")
"""
SCALE = ("--data", "toy", "--set", "encoder=tiny", "--set", "epochs=1", "--set", "epoch_steps=4")
# What is typed after an installation, and a word of what it must print.
COMMANDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("python", "-c", INSPECTION), "all there"),
    (("bertmt", "--version"), __version__),
    (("bertmt", "--help"), "queue"),
    (("bertmt-tui", "--help"), "dashboard"),
    (("bertmt", "presets"), "final-shared"),
    (("bertmt", "queue", "--preset", "baseline", *SCALE), "queued"),
    (("bertmt", "queue", "--preset", "final", "--set", "lora.rank=4", *SCALE), "queued"),
    (("bertmt", "worker", "--drain"), ""),
    (("bertmt", "runs", "--filter", "state:finished final"), "finished"),
    (("bertmt", "compare", "baseline", "final"), "verdict"),
    (("python", "-m", "tui.tour", "pictures"), ""),  # the dashboard itself, driven by its keys
)


def wheel_files(wheel: Path) -> set[str]:
    """The files of a wheel, without what describes it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def sdist_files(sdist: Path) -> set[str]:
    """The files of an sdist from its folder on, without what describes it."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    return names - {"PKG-INFO"}


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist it is built from, each in an environment of its own as an installer would."""
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(REPOSITORY)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def install(package: Path, folder: Path, pip_flags: Sequence[str]) -> None:
    """Install a package with all it needs into a fresh environment; its torch is the one of constraints.txt."""
    venv.create(folder, with_pip=True)
    constraints = ("-c", str(REPOSITORY / "constraints.txt"))
    command = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        *pip_flags,
        *constraints,
        str(package),
    ]
    subprocess.run(command, check=True)


def use(environment: Path, folder: Path) -> list[str]:
    """Type every command in an empty folder; the sentences on those that failed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("BERTMT_", "PYTHON", "VIRTUAL_"))}
    own |= {"HOME": str(folder), "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    problems = []
    for words, expected in COMMANDS:
        command = [str(environment / "bin" / words[0]), *words[1:]]
        done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)
        if done.returncode != 0 or expected not in done.stdout:
            shown = f"{words[0]} {words[1]}"
            problems.append(
                f"{shown} ended with {done.returncode}; expected {expected!r} in:\n{done.stdout}{done.stderr}"
            )
    return problems


def main(pip_flags: Sequence[str]) -> int:
    """Build both, install and use each; 1 where anything is not as it should be."""
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        packages = build(folder / "dist")
        told = {path for path in sdist_files(packages[1]) if path.startswith(tuple(f"{name}/" for name in INSTALLED))}
        if wheel_files(packages[0]) != told:
            problems.append(f"Wheel and sdist differ in {sorted(wheel_files(packages[0]) ^ told)}.")
        for package in packages:
            environment, used = folder / f"{package.name}-environment", folder / f"{package.name}-used"
            used.mkdir()
            install(package, environment, pip_flags)
            failed = use(environment, used)
            print(f"{package.name}: {len(COMMANDS) - len(failed)} of {len(COMMANDS)} commands worked", flush=True)
            problems += failed
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
