"""What is built, what is installed, and what continuous integration says of it, held to pyproject.toml."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from bench import packages

# torch's build depends on index, platform and Python, and the rest on that build; pip is the environment's own.
NOT_LOCKED = re.compile(r"torch|triton|cuda-.*|nvidia-(?!ml-py$).*|pip")


@pytest.fixture(scope="module")
def project(repository: Path) -> Any:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, built in this environment: nothing is fetched."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def files(repository: Path, project_files: list[Path]) -> set[Any]:
    return {path.relative_to(repository).as_posix() for path in project_files}


def test_the_wheel_has_the_program_its_data_and_its_types_and_nothing_else(
    built: tuple[Path, Path], files: Any
) -> None:
    installed = packages.wheel_files(built[0])
    assert installed == {name for name in files if name.startswith(("bertmt/", "tui/"))}
    assert {"bertmt/py.typed", "tui/py.typed", "tui/styles/dashboard.tcss", "bertmt/recipe/reported.toml"} <= installed


def test_the_sdist_has_the_whole_project_tests_and_benchmarks_included(built: tuple[Path, Path], files: Any) -> None:
    assert packages.sdist_files(built[1]) == files


def requirements(project: Any) -> list[Any]:
    """What `make` installs: the program, its tests and the embedded encoder."""
    extras = project["optional-dependencies"]
    return [Requirement(each) for each in (*project["dependencies"], *extras["dev"], *extras["offline"])]


def lock(repository: Path) -> dict[Any, tuple[Version, Any]]:
    """name -> (version, hashes) of requirements.lock."""
    text = (repository / "requirements.lock").read_text(encoding="utf-8")
    text = re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    entry = re.compile(r"([a-z0-9-]+)==(\S+)(?: ;(?: (?!--)\S+)+)?((?: +--hash=sha256:[0-9a-f]{64})*)")
    found = {}
    for line in filter(str.strip, text.splitlines()):
        match = entry.fullmatch(line)
        assert match, f"not `name==version ; marker --hash=...`: {line[:200]}"
        name, version, hashes = match.groups()
        assert name not in found, f"{name} is locked twice"
        found[name] = (Version(version), hashes.split())
    return found


def test_every_requirement_is_locked_at_a_version_that_it_admits(repository: Path, project: Any) -> None:
    locked = lock(repository)
    wanted = [each for each in requirements(project) if not NOT_LOCKED.fullmatch(each.name)]
    assert len(wanted) > 20
    wrong = [
        str(each)
        for each in wanted
        if (name := canonicalize_name(each.name)) not in locked or locked[name][0] not in each.specifier
    ]
    assert wrong == [], "`make lock` writes requirements.lock anew"


def test_all_that_is_locked_has_hashes_but_torch_which_has_builds_of_its_own(repository: Path) -> None:
    locked = lock(repository)
    assert [name for name, (_, hashes) in locked.items() if not hashes] == []
    assert [name for name in locked if NOT_LOCKED.fullmatch(name)] == []


def test_the_lock_names_no_package_index_and_no_folder(repository: Path) -> None:
    text = (repository / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r".*(?:://|--(?:extra-)?index|--find-links| @ | /\w).*", text) == []


def pythons(project: Any) -> list[Any]:
    """The Python versions of the classifiers."""
    return re.findall(r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)


def test_the_classifiers_name_the_pythons_that_are_required(project: Any) -> None:
    admitted = SpecifierSet(project["requires-python"])
    assert pythons(project) == [f"3.{minor}" for minor in range(30) if f"3.{minor}" in admitted]


def test_the_workflow_runs_what_ci_runs_on_every_python_and_may_only_read(repository: Path, project: Any) -> None:
    workflow = yaml.safe_load((repository / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    [work] = workflow["jobs"].values()
    assert work["strategy"]["matrix"]["python"] == pythons(project)
    assert workflow["permissions"] == {"contents": "read"} and "permissions" not in work
    assert [step["run"] for step in work["steps"] if "run" in step] == ["bash .ci/run"]
    actions = {step["uses"]: step.get("with", {}) for step in work["steps"] if "uses" in step}
    assert [name for name in actions if not re.fullmatch(r"actions/[a-z-]+@v\d+", name)] == []
    [python] = [settings for name, settings in actions.items() if name.startswith("actions/setup-python@")]
    assert python["python-version"] == "${{ matrix.python }}" and python["cache"] == "pip"
    assert [name for name in python["cache-dependency-path"].split() if not (repository / name).is_file()] == []


def test_the_hooks_of_a_commit_run_the_checks_of_make_and_fetch_nothing(repository: Path) -> None:
    hooks = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [each["repo"] for each in hooks["repos"]] == ["local"]
    [local] = hooks["repos"]
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    checks = re.findall(r"^\t@\$\(BIN\)/(.+)$", makefile.partition("\ncheck:")[2].partition("\n\n")[0], re.MULTILINE)
    said = {re.sub(r"( --check)? \.$", "", check) for check in checks}
    assert {hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]} == said


def test_a_package_that_lacks_a_file_or_fails_a_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make packages` itself takes too long for here: its judgement alone, on commands that do not work."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(
        packages,
        "COMMANDS",
        (
            (("python", "-c", "print('fine')"), "fine"),
            (("python", "-c", "print('fine')"), "else"),
            (("python", "-c", "raise SystemExit(3)"), ""),
        ),
    )
    other, failed = packages.use(environment, tmp_path)
    assert "expected 'else'" in other and "ended with 3" in failed
