"""Every tensor in a signature has its axes, and every axis its line in docs/architecture.md."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from source_files import Source

PACKAGES = ("bertmt/losses", "bertmt/models", "bertmt/prediction", "bertmt/training")
ARRAYS = {"Tensor", "ndarray"}
# Of several tensors, each may have another shape.
COLLECTIONS = {"list", "dict", "Mapping", "Sequence"}


def name_of(node: Any) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def annotations(tree: ast.Module) -> Any:
    """Those of arguments, results and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from [node.returns] * (node.returns is not None)
        elif isinstance(node, ast.arg):
            yield from [node.annotation] * (node.annotation is not None)
        elif isinstance(node, ast.ClassDef):
            yield from (each.annotation for each in node.body if isinstance(each, ast.AnnAssign))


def axes_of(node: Any) -> Any:
    """The axes in `Float[Tensor, "batch hidden"]`; None for anything else."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        array, axes = node.slice.elts
        if name_of(array) in ARRAYS and isinstance(axes, ast.Constant):
            return str(axes.value).split()
    return None


def bare(node: Any) -> bool:
    """Whether an annotation holds a tensor without axes, outside of collections."""
    if name_of(node) in ARRAYS:
        return True
    if axes_of(node) is not None or (isinstance(node, ast.Subscript) and name_of(node.value) in COLLECTIONS):
        return False
    return any(map(bare, ast.iter_child_nodes(node)))


def test_every_tensor_in_a_signature_has_its_axes(program: list[Source]) -> None:
    checked = [source for source in program if source.in_package(*PACKAGES)]
    found = [f"{source.name}:{node.lineno}" for source in checked for node in annotations(source.tree) if bare(node)]
    assert len(checked) > 40 and found == []


@pytest.mark.parametrize("text", ["Tensor", "torch.Tensor", "np.ndarray | None", "tuple[Tensor, Tensor]"])
def test_a_tensor_without_axes_would_be_seen(text: str) -> None:
    assert bare(ast.parse(text, mode="eval").body)


def test_the_page_has_a_line_for_each_axis_and_no_other(program: list[Source], repository: Path) -> None:
    used = {
        axis for source in program for node in ast.walk(source.tree) for axis in axes_of(node) or [] if axis != "..."
    }
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = page.partition("## Axes")[2].partition("\n## ")[0].splitlines()
    told = {name for line in lines if line.startswith("| `") for name in re.findall(r"`([^`]+)`", line)}
    assert used == told
