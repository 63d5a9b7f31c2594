"""A report as one page of HTML: no script, nothing fetched, legible on a phone, in print, on light and on dark."""

import re
from collections.abc import Iterator, Sequence

from bertmt.drawing.facts import Cell
from bertmt.drawing.figures.marks import COLOURS
from bertmt.drawing.figures.svg import svg_in_page, xml_text
from bertmt.drawing.tables import Row
from bertmt.services.analysis.report.document import (
    WIDE_FIGURE,
    Block,
    Bullets,
    Code,
    Heading,
    Paragraph,
    Picture,
    Pictures,
    Report,
    Section,
    Table,
    below,
)

# A browser that reads it fetches nothing and runs nothing, whatever a text in it may be mistaken for.
CODE = re.compile("`([^`]+)`")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def to_html(report: Report) -> str:
    """The whole page."""
    title = xml_text(report.title)
    names = [f"s{number}" for number in range(len(report.sections))]
    links = "\n".join(
        f'<a href="#{name}">{xml_text(section.title)}</a>' for name, section in zip(names, report.sections, strict=True)
    )
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{title}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>",
        f'<header>\n<h1>{title}</h1>\n<p class="note">{xml_text(report.made)}</p>\n<nav>\n{links}\n</nav>\n</header>',
    ]
    parts += [_section(section, name) for name, section in zip(names, report.sections, strict=True)]
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def _sentences(text: str) -> str:
    """Sentences, what stands between backticks as code."""
    return CODE.sub(r"<code>\1</code>", xml_text(text))


def _section(section: Section, name: str) -> str:
    lines = [f'<section id="{name}">\n<h2>{xml_text(section.title)}</h2>']
    return "\n".join([*lines, *(_block(block) for block in section.blocks), "</section>"])


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h3>{xml_text(block.text)}</h3>"
        case Paragraph():
            note = ' class="note"' if block.is_note else ""
            return f"<p{note}>{_sentences(block.text)}</p>"
        case Bullets():
            items = "\n".join(f"<li>{_sentences(each)}</li>" for each in block.items)
            return f"<ul>\n{items}\n</ul>"
        case Code():
            lines = "\n".join(map(xml_text, block.text.rstrip("\n").split("\n")))
            return f'<pre class="{block.language}"><code>{lines}</code></pre>'
        case Table():
            return _table(block)
        case Pictures():
            return "\n".join(['<div class="figures">', *map(_picture, block.pictures), "</div>"])


def _picture(picture: Picture) -> str:
    size = ' class="whole"' if picture.figure.width > WIDE_FIGURE else ""
    caption = f"<figcaption>{xml_text(picture.caption)}</figcaption>"
    return f"<figure{size}>\n{svg_in_page(picture.figure)}\n{caption}\n</figure>"


def _table(table: Table) -> str:
    titles = "".join(f'<th scope="col"{_side(column.right)}>{xml_text(column.title)}</th>' for column in table.columns)
    rights = [column.right for column in table.columns]
    lines = [f"<tr>{titles}</tr>\n</thead>\n<tbody>", *(each for row in table.rows for each in _row(row, rights))]
    return "\n".join(['<div class="wide"><table>\n<thead>', *lines, "</tbody>\n</table></div>"])


def _row(row: Row, rights: Sequence[bool]) -> Iterator[str]:
    cells = [each if isinstance(each, Cell) else Cell(each) for each in row.cells]
    shown = "".join(
        f"<td{_side(right, cell.style)}>{xml_text(cell.text)}</td>" for cell, right in zip(cells, rights, strict=True)
    )
    yield f"<tr>{shown}</tr>"
    about = below(row)
    if about:
        yield f'<tr class="below"><td colspan="{len(rights)}">{_sentences(about)}</td></tr>'


def _side(right: bool, style: str = "") -> str:
    names = [*(["r"] if right else []), *([style] if style in ("good", "bad", "dim") else [])]
    return f' class="{" ".join(names)}"' if names else ""


def _style() -> str:
    light, dark = ("".join(f"--{name}:{both[side]};" for name, both in COLOURS.items()) for side in (0, 1))
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}"
    )


STYLE = """\
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif}
main{max-width:64rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--grid)}
h3{font-size:1rem;margin:1.75rem 0 .5rem;overflow-wrap:anywhere}
p,li{max-width:46rem;overflow-wrap:anywhere}
ul{padding-left:1.25rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.875rem}
a{color:var(--series0)}
.note{color:var(--dim);font-size:.875rem}
.good{color:var(--good)}.bad{color:var(--bad)}.dim{color:var(--dim)}
.wide{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
th{font-weight:600;color:var(--dim);white-space:nowrap;vertical-align:bottom}
td{min-width:3rem;max-width:34rem;overflow-wrap:break-word}
.r{text-align:right;white-space:nowrap}
.below td{color:var(--dim);font-size:.8125rem;padding-top:0}
tr:has(+.below) td{border-bottom:0}
.figures{display:flex;flex-wrap:wrap;gap:1rem 1.5rem;margin:1rem 0;align-items:flex-start}
figure{margin:0;flex:1 1 18rem;max-width:24rem;min-width:0}
figure.whole{flex-basis:100%;max-width:38rem}
svg{display:block;width:100%;height:auto}
figcaption{color:var(--dim);font-size:.8125rem;margin-top:.25rem;overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--grid);border-radius:.25rem;font:.8125rem/1.45 ui-monospace,
Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre.toml code{display:block;columns:15rem;column-gap:2rem;white-space:pre-wrap;overflow-wrap:anywhere}
@media print{
@page{margin:16mm}
body{font-size:10pt}
main{max-width:none;padding:0}
nav{display:none}
h2,h3{break-after:avoid}
figure,tr,li{break-inside:avoid}
.wide{overflow:visible}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
table{font-size:8.5pt}
th,td{padding-right:.5rem}
.figures{display:block}
figure{display:inline-block;width:48%;margin:0 1% 1rem 0;vertical-align:top}
figure.whole{display:block;width:80%}
}
"""
