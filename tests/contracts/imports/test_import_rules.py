"""Who may import whom: docs/architecture.md's table is what import-linter checks, and import-linter is satisfied."""

import re
import subprocess
import sys
import tomllib
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from present import present

REPOSITORY = Path(__file__).resolve().parents[3]
FIRST_ROW = {"errors", "paths", "atomic_files", "bounded_files", "version"}
HEAVY = {"torch", "transformers", "peft", "pandas"}
THIRD_PARTY = {"numpy", "scipy", *HEAVY, "sqlite_utils", "typer", "rich"}


def words(cell: str) -> list[Any]:
    return [word.strip() for word in re.split(r"[,;]", cell) if word.strip()]


def table() -> dict[Any, tuple[set[Any], Any]]:
    """package -> (may import, never), from the page; phrases are resolved to package names."""
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Who may import whom")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line][2:]
    found: dict[Any, Any] = {}
    above: set[Any] = set()
    for packages, may, never in rows:
        allowed = set()
        plus, _, minus = may.partition(" but ")
        minus, _, also = minus.partition(";")
        for phrase in [*words(plus), *words(also)]:
            named = {"the standard library": set(), "the first row": FIRST_ROW, "the rows above": above}
            allowed |= named.get(phrase, {phrase})
        allowed -= set(words(minus))
        for package in words(packages):
            found[package] = (allowed, words(never))
        above = above | set(words(packages))
    return found


def contracts() -> Any:
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return document["tool"]["importlinter"]["contracts"]


def short(module: Any) -> Any:
    return module.removeprefix("bertmt.")


def forbidden_by_contracts() -> dict[Any, Any]:
    """package -> all that some contract forbids it to import."""
    found: dict[Any, Any] = {}
    for contract in contracts():
        if contract["type"] == "layers":  # within a package, which the table does not tell of
            continue
        if contract["type"] == "independence":
            pairs = list(permutations(contract["modules"], 2))
        else:
            assert contract["allow_indirect_imports"]
            pairs = [(one, other) for one in contract["source_modules"] for other in contract["forbidden_modules"]]
        for source, forbidden in pairs:
            found.setdefault(short(source), set()).add(short(forbidden))
    return found


def exceptions_of_contracts() -> dict[Any, Any]:
    """package -> the single modules that it may import although their package is forbidden."""
    lines = [line for contract in contracts() for line in contract.get("ignore_imports", [])]
    pairs = [present(re.fullmatch(r"(?:bertmt\.)?(\w+)\.\*+ -> bertmt\.([\w.]+)", line)).groups() for line in lines]
    return {source: {module for name, module in pairs if name == source} for source, _ in pairs}


PACKAGES = sorted(table())


def test_every_package_has_its_row() -> None:
    on_disk = {path.parent.name for path in (REPOSITORY / "bertmt").glob("*/__init__.py")}
    modules = {path.stem for path in (REPOSITORY / "bertmt").glob("*.py")} - {"__init__", "__main__"}
    assert set(PACKAGES) == on_disk | modules | {"tui"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_contracts_forbid_every_package_that_the_table_does_not_allow(package: Any) -> None:
    allowed, _ = table()[package]
    forbidden = forbidden_by_contracts()[package] & set(PACKAGES)
    assert forbidden == set(PACKAGES) - allowed - {package}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_contracts_forbid_what_the_tables_last_column_names(package: Any) -> None:
    _, never = table()[package]
    expected = set()
    for word in never:
        libraries = {"torch": HEAVY, "sqlite_utils": {"sqlite_utils"}, "a static import of tui": set()}
        libraries["a launcher by its name"] = {f"launchers.{each}" for each in ("local", "orphans", "slurm")}
        expected |= THIRD_PARTY if word == "anything else" else libraries.get(word, set())
    assert forbidden_by_contracts()[package] - set(PACKAGES) == expected


def test_single_modules_are_excepted_exactly_where_the_table_names_them() -> None:
    named = {package: {word for word in allowed if "." in word} for package, (allowed, _) in table().items()}
    assert exceptions_of_contracts() == {package: modules for package, modules in named.items() if modules}


def test_import_linter_finds_every_contract_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(contracts())} kept, 0 broken" in done.stdout
