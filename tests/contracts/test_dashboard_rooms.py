"""The dashboard by screen: `tui/navigation.py` alone imports screens, and what one alone needs lies in its folder."""

import ast
from typing import Any

import pytest
from source_files import Source

NAVIGATION = "tui.navigation"
BASES = {"dashboard_screen", "home_screen"}  # in tui/screens, of all screens


def dotted(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_names(tree: ast.Module) -> Any:
    """What a module imports at any depth; of `from a import b` both `a` and `a.b`, one of which is a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def imports(program: list[Source]) -> dict[str, set[Any]]:
    """module -> the modules of the dashboard that it imports."""
    ours = {dotted(source.name): source for source in program if source.in_package("tui")}
    found = {name: {each for each in imported_names(source.tree) if each in ours} for name, source in ours.items()}
    assert "tui.screens.run.screen" in found[NAVIGATION]
    return found


def screen_of(module: Any) -> Any:
    """The screen whose folder (or only module) it is or lies in; "" where there is none."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["tui", "screens"] and len(parts) > 2 and parts[2] not in BASES else ""


def foreign_imports(imports: Any) -> list[Any]:
    """Imports of a screen's modules from outside of its folder, but for the navigation's."""
    return [
        f"{module} imports {each}"
        for module, found in sorted(imports.items())
        for each in sorted(found)
        if screen_of(each) not in ("", screen_of(module)) and module != NAVIGATION
    ]


def strays(imports: Any) -> list[str]:
    """Modules outside of the screens that one screen alone imports."""
    found = []
    for module in sorted(imports):
        users = {screen_of(user) for user, found_there in imports.items() if module in found_there and user != module}
        if not screen_of(module) and len(users) == 1 and "" not in users:
            found.append(f"{module} is for {users.pop()} alone")
    return found


def test_no_module_but_the_navigation_imports_a_screen(imports: Any) -> None:
    assert foreign_imports(imports) == []


def test_what_one_screen_alone_needs_lies_in_its_folder(imports: Any) -> None:
    assert strays(imports) == []


def test_what_lies_elsewhere_would_be_seen() -> None:
    invented = {
        NAVIGATION: {"tui.screens.a.screen"},
        "tui.screens.a.screen": {"tui.screens.home_screen", "tui.widgets.of_a", "tui.widgets.shared"},
        "tui.screens.b": {"tui.screens.a.columns", "tui.widgets.shared"},
        "tui.widgets.shared": {"tui.screens.b"},
        "tui.widgets.of_a": set(),
        "tui.screens.home_screen": set(),
    }
    assert foreign_imports(invented) == [
        "tui.screens.b imports tui.screens.a.columns",
        "tui.widgets.shared imports tui.screens.b",
    ]
    assert strays(invented) == ["tui.screens.home_screen is for a alone", "tui.widgets.of_a is for a alone"]
