"""A report as Markdown, as GitHub reads it."""

from collections.abc import Iterator

from bertmt.drawing.facts import Cell
from bertmt.drawing.tables import Column
from bertmt.services.analysis.model_folder.markup import escaped, fenced, within
from bertmt.services.analysis.report.document import (
    Block,
    Bullets,
    Code,
    Heading,
    Paragraph,
    Picture,
    Pictures,
    Report,
    Table,
    below,
)


def to_markdown(report: Report, figures: str = "") -> str:
    """The whole text.

    Args:
        figures: the folder of the figures as the text names it; "": there is none, and captions alone stay.
    """
    parts = [f"# {escaped(report.title)}", escaped(report.made)]
    for section in report.sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [each for block in section.blocks for each in _block(block, figures)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, figures: str) -> Iterator[str]:
    match block:
        case Heading():
            yield f"### {escaped(block.text)}"
        case Paragraph():
            yield escaped(block.text)
        case Bullets():
            yield "\n".join(f"- {escaped(each)}" for each in block.items)
        case Code():
            yield fenced(block.text, block.language)
        case Table():
            yield _table(block)
            about = [f"- {escaped(_plain(row.cells[0]))}: {within(said)}" for row in block.rows if (said := below(row))]
            if about:
                yield "\n".join(about)
        case Pictures():
            yield from (_picture(each, figures) for each in block.pictures) if figures else ()


def _picture(picture: Picture, figures: str) -> str:
    # In brackets an address may have spaces, but none of `<`, `>` and line ends.
    folder = figures.replace("\\", "/").translate({ord(each): f"%{ord(each):02X}" for each in "<>\n\r%"})
    return f"![{escaped(picture.caption)}](<{folder}/{picture.name}.svg>)"


def _table(table: Table) -> str:
    rows = [[column.title for column in table.columns], *([_text(each) for each in row.cells] for row in table.rows)]
    rows[0] = [within(each) for each in rows[0]]
    rule = [_rule(column) for column in table.columns]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], rule, *rows[1:]))


def _rule(column: Column) -> str:
    return "---:" if column.right else "---"


def _plain(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else cell


def _text(cell: str | Cell) -> str:
    return within(_plain(cell))
