"""Modules and functions stay small, and names say what is inside."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from present import present
from source_files import Source

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 40
LONGEST_COMMAND = 25
SHARE_ABOVE_USUAL = 0.05
# The training loop is one page in time order, and longer for it (docs/architecture.md).
LOOP = "bertmt/training/loop.py"
NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "core", "manager", "misc", "lib", "tools"}


def functions(source: Source) -> Iterator[tuple[str, int]]:
    """Every function of a file with its length in lines, docstring included, decorators not."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{source.name}:{node.lineno} {node.name}", present(node.end_lineno) - node.lineno + 1


def test_no_module_is_longer_than_400_lines(sources: list[Source]) -> None:
    lengths = {source.name: source.text.count("\n") for source in sources}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_but_those_of_the_loop_is_longer_than_60_lines(sources: list[Source]) -> None:
    lengths = [each for source in sources if source.name != LOOP for each in functions(source)]
    assert [each for each in lengths if each[1] > LONGEST_FUNCTION] == []


def test_few_functions_of_the_program_are_longer_than_40_lines(program: list[Source], record_property: Any) -> None:
    lengths = dict(each for source in program if source.name != LOOP for each in functions(source))
    long = {name: length for name, length in lengths.items() if length > USUAL_FUNCTION}
    share = len(long) / len(lengths)
    record_property("share_of_functions_above_40_lines", f"{share:.1%} of {len(lengths)}")
    assert share <= SHARE_ABOVE_USUAL, f"{share:.1%} of {len(lengths)} functions are longer than 40 lines: {long}"


def body_length(node: ast.FunctionDef) -> int:
    """Lines of a function from its first statement behind the docstring on: signatures of commands are long."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return present(body[-1].end_lineno) - body[0].lineno + 1 if body else 0


def test_functions_of_the_command_line_are_thin(program: list[Source]) -> None:
    commands = [source for source in program if source.in_package("bertmt/cli")]
    long = [
        f"{source.name}:{node.lineno} {node.name}"
        for source in commands
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef) and body_length(node) > LONGEST_COMMAND
    ]
    assert commands and long == []


def test_no_module_or_folder_has_a_name_that_says_nothing(sources: list[Source]) -> None:
    words = {source.name: set(PurePosixPath(source.name).with_suffix("").parts) for source in sources}
    assert {name for name, parts in words.items() if parts & NAMES_THAT_SAY_NOTHING} == set()
    endings = {part.rpartition("_")[2] for parts in words.values() for part in parts}
    assert endings & NAMES_THAT_SAY_NOTHING == set()


def test_every_module_and_public_class_of_the_program_says_what_it_is(program: list[Source]) -> None:
    silent = [source.name for source in program if source.text.strip() and not ast.get_docstring(source.tree)]
    for source in program:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{source.name}:{node.lineno} {node.name}")
    assert silent == []


def test_names_of_tests_are_sentences(sources: list[Source]) -> None:
    short = []
    for source in sources:
        if source.in_package("tests"):
            names = [node.name for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef)]
            short += [f"{source.name} {name}" for name in names if name.startswith("test_") and name.count("_") < 3]
    assert short == []
