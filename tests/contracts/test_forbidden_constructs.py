"""What the program never does: run code from a file, load a pickle, write to the terminal from anywhere."""

import ast
from pathlib import Path
from typing import Any

import pytest
from source_files import Source

PICKLING = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
LOADS_A_PICKLE = {("torch", "load"), ("torch", "save"), ("np", "load"), ("numpy", "load")}
READS = {"read_bytes", "read_text"}
INFLATES = {("gzip", "open"), ("gzip", "decompress"), ("zlib", "decompress"), ("tomllib", "load"), ("json", "load")}
# The kernel's files, the package's own, the registry (which SQLite reads), and runs that the same command has trained.
READS_WHAT_NO_OTHER_MADE = (
    "bertmt/bounded_files.py",
    "bertmt/devices",
    "bertmt/registry",
    "bertmt/run_folder/processes.py",
    "bertmt/recipe/reported.py",
    "bertmt/recipe/loading.py",
    "bertmt/tasks/builtin",
    "bertmt/services/plan/snapshot.py",
    "bertmt/services/upkeep/repair.py",
    "bertmt/services/lifecycle/verify_resume.py",
)
# Who may write to the terminal: the two modules at the edge, and children and workers, whose output is a log file.
WRITERS = (
    "bertmt/cli/output.py",
    "bertmt/cli/diagnostics.py",
    "bertmt/training",
    "bertmt/prediction",
    "bertmt/own_code/__main__.py",
    "bertmt/worker",
    "tui/__main__.py",
    "tui/tour.py",
    # `python -m …reference` write the generated pages; they are commands of their own.
    "bertmt/cli/reference.py",
    "bertmt/registry/reference.py",
)


def calls(source: Source) -> list[Any]:
    return [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]


def at(source: Source, node: Any) -> str:
    return f"{source.name}:{node.lineno}"


def attribute(node: Any) -> tuple[str, str] | None:
    """("torch", "load") for `torch.load`, None for what is no plain attribute."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    return None


def imported_modules(source: Source) -> Any:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module


def test_nothing_that_unpickles_is_imported(sources: list[Source]) -> None:
    found = [
        at(source, node)
        for source in sources
        for node, module in imported_modules(source)
        if module.partition(".")[0] in PICKLING
    ]
    assert found == []


def test_arrays_and_weights_are_loaded_without_pickle(sources: list[Source]) -> None:
    found = []
    for source in sources:
        for call in calls(source):
            if attribute(call.func) in LOADS_A_PICKLE:
                safe = any(
                    keyword.arg == "allow_pickle" and ast.unparse(keyword.value) == "False" for keyword in call.keywords
                )
                found += [] if safe else [at(source, call)]
    assert found == []


@pytest.mark.parametrize("keyword_name", ["trust_remote_code", "allow_pickle", "shell"])
def test_no_call_switches_on_what_runs_foreign_code(sources: list[Source], keyword_name: str) -> None:
    found = [
        at(source, call)
        for source in sources
        for call in calls(source)
        for keyword in call.keywords
        if keyword.arg == keyword_name and ast.unparse(keyword.value) != "False"
    ]
    assert found == []


def test_no_text_is_run_as_code(sources: list[Source]) -> None:
    """But for a user's own losses and heads, which `own_code` loads by the digest that their recipe has."""
    found = [
        at(source, call)
        for source in sources
        for call in calls(source)
        if isinstance(call.func, ast.Name) and call.func.id in RUNS_TEXT
        if source.name != "bertmt/own_code/loading.py"
    ]
    assert found == []


def test_pretrained_parts_are_loaded_from_safetensors_alone(program: list[Source]) -> None:
    """`use_safetensors=True` wherever transformers loads weights."""
    found = []
    for source in program:
        for call in calls(source):
            names = attribute(call.func)
            if names and names[1] == "from_pretrained" and "Model" in names[0]:
                safe = any(keyword.arg == "use_safetensors" for keyword in call.keywords)
                found += [] if safe else [at(source, call)]
    assert found == []


def test_files_of_others_are_read_through_the_module_that_bounds_them(program: list[Source]) -> None:
    """A pipe hangs whoever opens it, and a file of gigabytes fills the memory; see `bounded_files`."""
    found = []
    for source in program:
        if source.in_package(*READS_WHAT_NO_OTHER_MADE):
            continue
        for call in calls(source):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else None
            words = [each.value for each in call.args if isinstance(each, ast.Constant)]
            opens = name == "open" and attribute(call.func) != ("os", "open") and words in ([], ["r"], ["rb"])
            if opens or name in READS or attribute(call.func) in INFLATES:
                found.append(at(source, call))
    assert found == []


def test_only_the_modules_at_the_edge_write_to_the_terminal(program: list[Source]) -> None:
    found = []
    for source in program:
        if source.in_package(*WRITERS):
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(at(source, node))
            if attribute(node) in {("sys", "stdout"), ("sys", "stderr"), ("typer", "echo"), ("typer", "secho")}:
                found.append(at(source, node))
    assert found == []


def test_nobody_clicks_with_a_second_click(program: list[Source]) -> None:
    """Typer carries its own Click: objects of the package `click` are not its."""
    found = [at(source, node) for source in program for node, name in imported_modules(source) if name == "click"]
    assert found == []


def test_the_program_names_no_place_of_one_machine(sources: list[Source], repository: Path) -> None:
    # The folder that the checkout stands in, unless that is the root itself.
    place = repository.parent if repository.parent != Path("/") else repository
    assert [source.name for source in sources if f"{place}/" in source.text] == []
