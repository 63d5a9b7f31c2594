"""What is made of eight and more arguments takes at most its first three by position, the rest by their names."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from source_files import Source

MOST_BY_POSITION = 7
MOST_BEFORE_NAMES = 3  # what every table and form would repeat line by line: key, title, width


def fields(node: ast.ClassDef) -> list[Any]:
    """The annotated names of a class body; what belongs to the class alone is no field."""
    named = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    return [each for each in named if not ast.unparse(each.annotation).startswith(("ClassVar", "typing.ClassVar"))]


MAKERS = {"dataclass", "NamedTuple", "Struct", "Event"}


def is_made_of_its_fields(node: ast.ClassDef) -> bool:
    makers = [*node.bases, *node.decorator_list]
    return any(ast.unparse(each).partition("(")[0].split(".")[-1] in MAKERS for each in makers)


def takes_names_alone(node: ast.ClassDef) -> bool:
    calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
    keywords = [*node.keywords, *(keyword for call in calls for keyword in call.keywords)]
    if any(each.arg == "kw_only" and ast.unparse(each.value) == "True" for each in keywords):
        return True
    kinds = [ast.unparse(each.annotation) for each in fields(node)]
    return "KW_ONLY" in kinds and kinds.index("KW_ONLY") <= MOST_BEFORE_NAMES


def long_by_position(tree: ast.Module) -> Iterator[str]:
    """The classes whose constructor takes eight and more arguments, some of them by position."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for made in node.body:
            if isinstance(made, ast.FunctionDef) and made.name in ("__init__", "__new__"):
                by_position = [*made.args.posonlyargs, *made.args.args][1:]
                if by_position and len(by_position) + len(made.args.kwonlyargs) > MOST_BY_POSITION:
                    yield node.name
        if is_made_of_its_fields(node) and len(fields(node)) > MOST_BY_POSITION and not takes_names_alone(node):
            yield node.name


def test_constructors_of_eight_and_more_arguments_take_them_by_name(sources: list[Source]) -> None:
    found = {f"{source.name} {each}" for source in sources for each in long_by_position(source.tree)}
    assert found == set()


FIELDS = "".join(f"    f{number}: int\n" for number in range(8))
SEVEN = "".join(f"    f{number}: int\n" for number in range(7))
ARGUMENTS = ", ".join(f"a{number}" for number in range(8))


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        (f"@dataclass(frozen=True)\nclass Made:\n{FIELDS}", True),
        (f"@dataclass\nclass Made:\n{FIELDS}", True),
        (f"@dataclass(frozen=True, kw_only=True)\nclass Made:\n{FIELDS}", False),
        (
            f"@dataclass(frozen=True)\nclass Made:\n    c: ClassVar[int] = 1\n{SEVEN}",
            False,
        ),
        (f"@dataclass\nclass Made:\n    a: int\n    _: KW_ONLY\n{FIELDS}", False),
        (f"@dataclass\nclass Made:\n{SEVEN}    _: KW_ONLY\n{FIELDS}", True),
        (f"class Made(Event, frozen=True):\n{FIELDS}", True),
        (f"class Made(msgspec.Struct, kw_only=True):\n{FIELDS}", False),
        (f"class Made(NamedTuple):\n{FIELDS}", True),
        (f"class Made:\n    def __init__(self, {ARGUMENTS}): ...\n", True),
        (f"class Made:\n    def __init__(self, *, {ARGUMENTS}): ...\n", False),
    ],
)
def test_a_long_constructor_would_be_seen(text: str, is_refused: bool) -> None:
    assert list(long_by_position(ast.parse(text))) == ["Made"] * is_refused
