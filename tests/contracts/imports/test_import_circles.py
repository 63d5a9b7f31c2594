"""No circle among the modules, with imports inside functions and imports for types alone counted too."""

import ast
from collections.abc import Callable
from typing import Any

from source_files import Source


def dotted(name: str) -> str:
    """ "bertmt.tasks" for bertmt/tasks/__init__.py."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(source: Source, modules: set[str]) -> Any:
    """The modules of the tree that a module names in an import, wherever in it that stands."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            # `from package import module` means the module, `from module import name` the module named first.
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & modules
            found |= {str(node.module)} if whole - modules else set()
    return found & modules


def circles(sources: list[Source]) -> list[set[Any]]:
    """The sets of modules of which each imports each other, by however many steps (Tarjan's components)."""
    modules = {dotted(source.name) for source in sources}
    graph = {dotted(source.name): sorted(imports_of(source, modules)) for source in sources}
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[Any] = []

    def visit(module: Any) -> None:
        index[module] = lowest[module] = len(index)
        stack.append(module)
        for other in graph[module]:
            if other not in index:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == index[module]:
            start = stack.index(module)
            component = set(stack[start:])
            del stack[start:]
            if len(component) > 1 or module in graph[module]:
                found.append(component)

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle(program: list[Source]) -> None:
    assert list(circles(program)) == []


def test_a_circle_would_be_found_whatever_way_it_goes(planted: Callable[..., list[Source]]) -> None:
    tree = {
        "bertmt/__init__.py": "",
        "bertmt/straight.py": "from bertmt import first",
        "bertmt/first.py": "import bertmt.second",
        "bertmt/second.py": "def late():\n    from bertmt import third",
        "bertmt/third.py": "if TYPE_CHECKING:\n    from bertmt.part.fourth import Name",
        "bertmt/part/__init__.py": "",
        "bertmt/part/fourth.py": "from bertmt.first import name",
    }
    [found] = circles(planted(tree))
    assert found == {"bertmt.first", "bertmt.second", "bertmt.third", "bertmt.part.fourth"}
    assert circles(planted(tree | {"bertmt/third.py": ""})) == []
