"""No circle among the modules, with imports inside functions and imports for types alone counted too."""

import ast

# The dashboard's app and its screens know each other until a protocol stands between them; nothing is added here.
CIRCLES_TO_BREAK = (
    {
        "tui.actions.runs", "tui.actions.workers", "tui.app", "tui.ending_bell", "tui.pictures",
        "tui.screens.compare.screen", "tui.screens.dashboard_screen", "tui.screens.home_screen",
        "tui.screens.new_run.screen", "tui.screens.paper.screen", "tui.screens.queue.screen",
        "tui.screens.run.panes.confusion", "tui.screens.run.panes.curves", "tui.screens.run.panes.epoch_pane",
        "tui.screens.run.panes.examples", "tui.screens.run.panes.history", "tui.screens.run.panes.log",
        "tui.screens.run.panes.pane", "tui.screens.run.panes.recipe", "tui.screens.run.panes.similarity",
        "tui.screens.run.screen", "tui.screens.runs", "tui.screens.worker_log", "tui.widgets.home_line",
    },
)  # fmt: skip


def dotted(name):
    """ "bertmt.tasks" for bertmt/tasks/__init__.py."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(source, modules):
    """The modules of the tree that a module names in an import, wherever in it that stands."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            # `from package import module` means the module, `from module import name` the module named first.
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & modules
            found |= {node.module} if whole - modules else set()
    return found & modules


def circles(sources):
    """The sets of modules of which each imports each other, by however many steps (Tarjan's components)."""
    modules = {dotted(source.name) for source in sources}
    graph = {dotted(source.name): sorted(imports_of(source, modules)) for source in sources}
    index, lowest, stack, found = {}, {}, [], []

    def visit(module):
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


def test_no_modules_import_each_other_in_a_circle(program):
    assert [circle for circle in circles(program) if not any(circle <= known for known in CIRCLES_TO_BREAK)] == []


def test_a_circle_would_be_found_whatever_way_it_goes(planted):
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
