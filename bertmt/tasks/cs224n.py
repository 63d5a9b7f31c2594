"""Reader of a folder in the format of Stanford's CS224N default project.

Tab-separated files with a header line, a leading unnamed column and, for Quora, CRLF. Columns are found by their
names, as the course's own reader finds them, which also covers the SST test file, whose header begins with `0` and an
unnamed column. Labels of test files are read where there are any; the course's have none.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bertmt.bounded_files import MOST_DATA, read_bytes
from bertmt.errors import DataError, reason_of
from bertmt.tasks.examples import Example, Split, is_plain_id, with_unique_ids
from bertmt.tasks.malformed import Malformed, SkippedRows, renamed_ids, shown
from bertmt.tasks.readers.labels import NUMBER
from bertmt.tasks.tab_separated import Row, rows
from bertmt.tasks.task import CourseFormat, Task

REMEDY = "repair it, or name another folder with `bertmt init --data DIR`"
MOST_LINES = 10_000_000  # of the course's largest file: 283,011


def read_cs224n_split(folder: Path, task: Task, split: str) -> Split:
    """One split of one task from its file in a CS224N folder.

    Raises:
        DataError: the folder or the file is missing, empty, has a wrong header, no usable row, more than 1 % malformed
            rows, or a label out of range.
    """
    file = find_file(folder, task, split)
    try:
        content = read_bytes(file, MOST_DATA)
    except FileNotFoundError:
        where = "put it there, or name another folder with `bertmt init --data DIR`"
        raise DataError(f"{file} is not there: {where}.") from None
    except OSError as problem:
        raise DataError(f"{file} cannot be read: {reason_of(problem)}; {REMEDY}.") from None
    if content.count(b"\n") > MOST_LINES:  # each of them takes ten times its byte in memory
        raise DataError(f"{file} cannot be read: it has more than {MOST_LINES:,} lines; {REMEDY}.")
    return parse_split(content, file, task, split)


def find_file(folder: Path, task: Task, split: str) -> Path:
    """The file of a split; test files may be called `-test-student.csv`, as the course has them, or `-test.csv`.

    Raises:
        DataError: the folder or the file is missing.
    """
    present, names = _present(folder), _names(task, split)
    for name in names:
        if name in present:
            return folder / name
    raise DataError(
        f"{folder} has no file {' or '.join(names)}, which {task.title}'s {split} split is read from: "
        "name a folder in the CS224N format with `bertmt init --data DIR`."
    )


def missing_files(folder: Path, splits: Iterable[tuple[Task, str]]) -> dict[tuple[str, str], str]:
    """The splits, (task's name, split), whose file is not in the folder, and how that is called.

    Raises:
        DataError: the folder is missing.
    """
    present = _present(folder)
    wanted = {(task.name, split): _names(task, split) for task, split in splits}
    return {part: " or ".join(names) for part, names in wanted.items() if not present.intersection(names)}


def _present(folder: Path) -> set[str]:
    """The names of the files in a data folder."""
    try:
        return {path.name for path in folder.iterdir() if path.is_file()}
    except (OSError, ValueError) as problem:
        raise DataError(
            f"The data folder {folder} cannot be read ({reason_of(problem)}): name a folder in the CS224N format with "
            "`bertmt init --data DIR`, or use the embedded data with `--data toy`."
        ) from None


def _names(task: Task, split: str) -> list[str]:
    """What a split's file may be called."""
    endings = ("test-student", "test") if split == "test" else (split,)
    return [f"{_format(task).stem}-{ending}.csv" for ending in endings]


def _format(task: Task) -> CourseFormat:
    assert task.course is not None  # others have a source of their own
    return task.course


def parse_split(content: bytes, file: Path, task: Task, split: str) -> Split:
    """The content of a split's file as examples; Raises as `read_cs224n_split`."""
    table = rows(content)
    header = next(table, None)
    if header is None:
        raise DataError(f"{file} is empty: {REMEDY}.")
    if header.problem:
        raise DataError(f"{file}, line {header.line}: the header cannot be read ({header.problem}); {REMEDY}.")
    parser = _RowParser(file, task, header, labelled=split != "test")
    skipped = SkippedRows(file, REMEDY)
    examples: list[Example] = []
    lines: list[int] = []
    for row in table:
        try:
            if row.problem:
                raise row.problem
            examples.append(parser.example(row.fields, row.line))
            lines.append(row.line)
        except Malformed as problem:
            skipped.add(row.line, problem)
    warnings = skipped.warnings(skipped.count + len(examples))
    if not examples:
        raise DataError(f"{file} has a header but no rows: {REMEDY}.")
    unique, renamed = with_unique_ids(examples)
    return Split(task.name, split, unique, (*warnings, *renamed_ids(file, renamed, lines, unique)))


class _RowParser:
    """Turns the fields of a row into an example, by the positions that the header gives."""

    def __init__(self, file: Path, task: Task, header: Row, labelled: bool):
        self.file = file
        self.task = task
        columns = _format(task)
        found = [name.strip().lower() for name in header.fields]
        needed = ["id", *columns.sentences, *([columns.label] if labelled else [])]
        if any(found.count(name) != 1 for name in needed) or found.count(columns.label) > 1:
            raise DataError(
                f"{file}, line {header.line}: expected a header with the tab-separated columns {', '.join(needed)}, "
                f"found {', '.join(shown(name) for name in found[:8])}; {REMEDY}."
            )
        self.id_at = found.index("id")
        self.sentences_at = [found.index(name) for name in columns.sentences]
        self.label_at = found.index(columns.label) if columns.label in found else None

    def example(self, fields: Sequence[str], line: int) -> Example:
        """Raises: Malformed: something is missing. DataError: the label is out of range."""
        name = fields[self.id_at].strip().lower()
        if not is_plain_id(name):
            raise Malformed(f"the id is {shown(name)}" if name else "no id")
        sentences = [fields[at].strip() for at in self.sentences_at]
        if "" in sentences:
            raise Malformed("no sentence" if not self.task.pair else f"no sentence{sentences.index('') + 1}")
        label = None if self.label_at is None else self.label(fields[self.label_at].strip(), line)
        return Example(name, sentences[0], sentences[1] if self.task.pair else None, label)

    def label(self, text: str, line: int) -> float:
        """A label: an int for classes (Quora's are stored as `0.0`), a float for similarities."""
        if not text:
            raise Malformed("no label")
        if not NUMBER.fullmatch(text):
            raise Malformed(f"the label is {shown(text)}")
        value = float(text)
        task = self.task
        if not task.minimum <= value <= task.maximum or (task.classes and value != int(value)):
            kind = "a whole number" if task.classes else "a number"
            raise DataError(
                f"{self.file}, line {line}: a label of {task.title} is {kind} from {task.minimum:g} to "
                f"{task.maximum:g}, found {shown(text)}; {REMEDY}."
            )
        return int(value) if task.classes else value + 0.0  # so that -0.0 becomes 0.0
