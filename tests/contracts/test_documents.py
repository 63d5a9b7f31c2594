"""The pages say what is so: links resolve, the tree is the disk, the methods page names what exists."""

import re
from pathlib import Path
from typing import Any

import pytest
from present import present
from source_files import Source

from bertmt.recipe.encoders import KNOWN_ENCODERS

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FILE_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.\w+)|Makefile|LICENSE")


def pages(repository: Path) -> list[Any]:
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
    return [*(repository / name for name in names), *sorted((repository / "docs").rglob("*.md"))]


def without_code(text: Any) -> str:
    """Markdown without fenced blocks and code spans, where brackets mean something else."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(page: Any) -> list[str]:
    """The anchors of a page, as GitHub makes them from its headings."""
    found: list[Any] = []
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = sum(each == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", each) is not None for each in found)
        found.append(f"{slug}-{count}" if count else slug)
    return found


def test_every_link_between_the_pages_resolves(repository: Path) -> None:
    broken = []
    for page in pages(repository):
        for groups in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
            target = "".join(groups)
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
                broken.append(f"{page.name}: {target}")
    assert broken == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("# The `bertmt` page", "the-bertmt-page"),
        ("## Who may import whom?", "who-may-import-whom"),
        ("### ρ, S", "ρ-s"),
    ],
)
def test_anchors_are_made_as_github_makes_them(tmp_path: Path, heading: str, anchor: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{heading}\n\n```\n# no heading\n```\n{heading}\n", encoding="utf-8")
    assert anchors(page) == [anchor, f"{anchor}-1"]


def tree_block(readme: Path) -> Any:
    """The lines of README's picture of the tree."""
    match = re.search(r"^```text\n(bertmt/.*?)^```", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert match, "README.md needs a block that starts with ```text and whose first line is bertmt/"
    return match[1].splitlines()


def tree_paths(lines: Any) -> list[Any]:
    """The paths that a drawn tree names; several files may share a line, then comes the comment."""
    found: list[Any] = []
    open_folders: list[Any] = []
    for line in lines:
        drawn = present(re.match(r"[\s│├└─|`-]*", line))[0]
        names = []
        for word in line[len(drawn) :].replace(",", " ").split():
            if not FILE_NAME.fullmatch(word):
                break
            names.append(word)
        while open_folders and open_folders[-1][0] >= len(drawn):
            open_folders.pop()
        above = open_folders[-1][1] if open_folders else ""
        found += [above + name for name in names]
        if names and names[0].endswith("/"):
            open_folders.append((len(drawn), above + names[0]))
    # The first line is the package, unless the package is drawn inside it: then it is the repository.
    return [path.removeprefix("bertmt/") or "./" for path in found] if "bertmt/bertmt/" in found else found


def test_everything_in_the_readmes_tree_is_on_disk(repository: Path) -> None:
    paths = tree_paths(tree_block(repository / "README.md"))
    assert len(paths) > 10
    missing = [path for path in paths if not (repository / path).exists()]
    assert missing == []
    assert [path for path in paths if path.endswith("/") and not (repository / path).is_dir()] == []


def test_every_package_and_top_folder_on_disk_is_in_the_readmes_tree(
    repository: Path, project_files: list[Path]
) -> None:
    named = set(tree_paths(tree_block(repository / "README.md")))
    relative = [path.relative_to(repository) for path in project_files]
    packages = {f"{path.parent.as_posix()}/" for path in relative if path.name == "__init__.py"}
    packages = {path for path in packages if path.count("/") <= 2}
    top = {f"{path.parts[0]}/" for path in relative if len(path.parts) > 1 and not path.parts[0].startswith(".")}
    assert (packages | top) - named == set()


def test_the_tree_reader_understands_both_ways_of_drawing() -> None:
    drawn = [
        "bertmt/",
        "├── recipe/        the toggles",
        "│   └── recipe.py",
        "├── errors.py  paths.py  one error tree",
        "tests/",
    ]
    indented = ["bertmt/", "  recipe/  the toggles", "    recipe.py", "  errors.py paths.py  one error tree", "tests/"]
    expected = ["bertmt/", "bertmt/recipe/", "bertmt/recipe/recipe.py", "bertmt/errors.py", "bertmt/paths.py", "tests/"]
    assert tree_paths(drawn) == tree_paths(indented) == expected
    assert tree_paths(["bertmt/", "  bertmt/", "    recipe/", "  docs/"]) == [
        "./",
        "bertmt/",
        "bertmt/recipe/",
        "docs/",
    ]


def test_every_room_of_the_architecture_is_on_disk_and_every_package_is_a_room(repository: Path) -> None:
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = page.partition("## Rooms")[2].partition("\n## ")[0]
    cells = re.findall(r"^\|([^|]+)\|", rooms, re.MULTILINE)
    named = {name.rstrip("/") for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    packages = {path.parent.name for path in (repository / "bertmt").glob("*/__init__.py")}
    modules = {path.name for path in (repository / "bertmt").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert named == packages | modules | {"tui"}


def test_every_file_of_the_project_that_a_page_names_exists(repository: Path) -> None:
    missing = []
    for page in pages(repository):
        for name in re.findall(r"`((?:bertmt|tui|tests|bench|docs)/[\w./-]+)`", page.read_text(encoding="utf-8")):
            missing += [] if (repository / name).exists() else [f"{page.name}: {name}"]
    assert missing == []


def test_every_row_of_the_methods_page_names_its_code_and_tests_that_exist(
    repository: Path, sources: list[Source]
) -> None:
    page = (repository / "docs" / "methods.md").read_text(encoding="utf-8")
    tests = {match for source in sources for match in re.findall(r"^def (test_\w+)", source.text, re.MULTILINE)}
    tables = [
        [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")]
        for part in page.split("\n\n")
    ]
    rows = [row for table in tables if table and table[0][1].strip() == "code" for row in table[1:]]
    assert len(rows) > 40
    without_code = [row[0] for row in rows if not re.fullmatch(r"\s*`bertmt/[\w/.]+`\s*", row[1])]
    without_test = [row[0] for row in rows if not re.findall(r"`(test_\w+)`", row[2])]
    assert (without_code, without_test) == ([], [])
    assert [test for row in rows for test in re.findall(r"`(test_\w+)`", row[2]) if test not in tests] == []


def test_the_methods_page_cites_decisions_that_exist(repository: Path) -> None:
    decisions = re.findall(r"^(\d+)\. ", (repository / "docs" / "paper.md").read_text(encoding="utf-8"), re.MULTILINE)
    page = (repository / "docs" / "methods.md").read_text(encoding="utf-8")
    cited = {number for numbers in re.findall(r"decisions? ([\d, ]+)", page) for number in re.findall(r"\d+", numbers)}
    assert cited <= set(decisions)


def test_the_pages_name_the_learning_rate_that_tiny_brings(repository: Path) -> None:
    rate = f"{KNOWN_ENCODERS['tiny'].learning_rate:g}".replace("0.0003", "3e-4")
    assert f"`tiny` brings {rate} (" in (repository / "docs" / "methods.md").read_text(encoding="utf-8")


def test_every_share_that_the_methods_page_explains_stands_in_a_table(repository: Path) -> None:
    """ "The 7.1 % are chance" stayed when its table was measured anew."""
    lines = (repository / "docs" / "methods.md").read_text(encoding="utf-8").splitlines()
    cells = {cell.strip() for line in lines if line.startswith("|") for cell in line.split("|")}
    explained = re.findall(r"\bThe (\d+\.\d %) (?:are|is)\b", "\n".join(lines))
    assert not set(explained) - cells


def test_the_changelog_tells_of_this_version(repository: Path, sources: list[Source]) -> None:
    version = next(source for source in sources if source.name == "bertmt/version.py")
    [number] = re.findall(r'__version__ = "([^"]+)"', version.text)
    headings = re.findall(r"^## \[([^\]]+)\]", (repository / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased" and number in headings
