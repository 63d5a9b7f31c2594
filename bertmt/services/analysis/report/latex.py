"""A report as a document of LaTeX, for pdfTeX, XeTeX and LuaTeX: what comes from outside is text, never a command."""

from collections.abc import Iterator

from bertmt.drawing.facts import Cell
from bertmt.drawing.safe_text import safe_text
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
    Table,
    below,
)

# pdfTeX knows Latin letters alone; what it does not know is told by its number, and others print it.
PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage{iftex}
\ifPDFTeX\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{textcomp}\usepackage{lmodern}
\DeclareRobustCommand{\other}[2]{[U+#2]\allowbreak}
\else\usepackage{fontspec}
\DeclareRobustCommand{\other}[2]{#1}
\fi
\usepackage[margin=20mm]{geometry}
\usepackage{array,booktabs,longtable,graphicx}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}\setlength{\emergencystretch}{3em}
\setlength{\LTleft}{0pt}
\begin{document}
"""
_MARKS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_\allowbreak{}",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "-": "-{}", "[": "{[}", "]": r"{]}\allowbreak{}", "/": r"/\allowbreak{}", "*": "{*}",
    "−": r"\ensuremath{-}", "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\dots{}", "×": r"\ensuremath{\times}",
    "±": r"\ensuremath{\pm}", "ρ": r"\ensuremath{\rho}", "φ": r"\ensuremath{\varphi}", "Δ": r"\ensuremath{\Delta}",
    "≥": r"\ensuremath{\geq}", "≤": r"\ensuremath{\leq}", "≈": r"\ensuremath{\approx}", "→": r"\ensuremath{\to}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "’": r"\textquoteright{}", "‘": r"\textquoteleft{}",
    "·": r"\textperiodcentered{}", "⏎": "/",
}  # fmt: skip
WIDE = 92  # letters of a row from which on its longest column is a paragraph
LINE = 100  # letters of a line of a table


def escaped(text: str) -> str:
    """A text within a paragraph, a cell or a heading."""
    return "".join(map(_letter, safe_text(text)))


def _sentences(text: str) -> str:
    """Sentences, what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(rf"\texttt{{{escaped(each)}}}" if at % 2 else escaped(each) for at, each in enumerate(parts))


def _letter(letter: str) -> str:
    known = _MARKS.get(letter)
    if known is not None:
        return known
    # Latin letters with accents, which every font of T1 has, but for signs of Latin-1 that it has not.
    if letter.isascii() or (letter.isalpha() and "\u00c0" <= letter <= "\u017e"):
        return letter
    return rf"\other{{{letter}}}{{{ord(letter):04X}}}"


def to_latex(report: Report, figures: str = "") -> str:
    """The whole document.

    Args:
        figures: the folder of the figures as the document names it; "": there is none.
    """
    parts = [rf"{{\LARGE\bfseries {escaped(report.title)}\par}}", escaped(report.made)]
    for section in report.sections:
        parts.append(rf"\section*{{{escaped(section.title)}}}")
        parts += [each for block in section.blocks for each in _block(block, figures)]
    return PREAMBLE + "\n\n".join(parts) + "\n\n\\end{document}\n"


def _block(block: Block, figures: str) -> Iterator[str]:
    match block:
        case Heading():
            yield rf"\subsection*{{{escaped(block.text)}}}"
        case Paragraph():
            yield rf"{{\small {_sentences(block.text)}\par}}" if block.is_note else _sentences(block.text)
        case Bullets():
            items = [rf"\item {_sentences(each)}" for each in block.items]
            if items:
                yield "\n".join([r"\begin{itemize}", *items, r"\end{itemize}"])
        case Code():
            lines = [_code(each) for each in block.text.rstrip("\n").split("\n")]
            yield "\n".join([r"{\footnotesize\ttfamily\raggedright", *lines, "}"])
        case Table():
            yield _table(block)
        case Pictures():
            if figures:
                yield "\n".join(_picture(each, figures) for each in block.pictures)


def _code(line: str) -> str:
    """A line of code, its indentation kept."""
    text = line.lstrip(" ")
    return rf"\hspace*{{{(len(line) - len(text)) / 2:g}em}}{escaped(text)}\par"


def _picture(picture: Picture, figures: str) -> str:
    width = r"0.8\linewidth" if picture.figure.width > WIDE_FIGURE else r"0.48\linewidth"
    # The name of a file is no text: LaTeX expands it, so what it could not have is refused where it is chosen.
    return "\n".join([
        rf"\begin{{minipage}}[t]{{{width}}}\raggedright",
        rf"\includegraphics[width=\linewidth]{{{figures}/{picture.name}.pdf}}\\",
        rf"{{\small {escaped(picture.caption)}\par}}\bigskip",
        r"\end{minipage}\hspace{0.02\linewidth}%",
    ])  # fmt: skip


def _table(table: Table) -> str:
    texts = [[each.text if isinstance(each, Cell) else each for each in row.cells] for row in table.rows]
    titles = [column.title for column in table.columns]
    widest = [max(map(len, each)) for each in zip(titles, *texts, strict=True)]
    lines = [_cells(titles) + r" \\", r"\midrule\endhead"]
    for cells, row in zip(texts, table.rows, strict=True):
        lines.append(_cells(cells) + r" \\")
        about = below(row)
        if about:
            spans = rf"\multicolumn{{{len(titles)}}}{{p{{0.9\linewidth}}}}{{\footnotesize\itshape {_sentences(about)}}}"
            lines.append(rf"{spans} \\")
    head = rf"\begin{{longtable}}{{@{{}}{_columns(table, widest)}@{{}}}}"
    return "\n".join([r"{\footnotesize\setlength{\tabcolsep}{4pt}", head, r"\toprule", *lines, r"\bottomrule",
                      r"\end{longtable}}"])  # fmt: skip


def _columns(table: Table, widest: list[int]) -> str:
    """Left or right; in a table that is too wide the widest columns share what the others leave."""
    over, kinds = sum(widest) > WIDE, []
    longest = max(widest)
    sharing = [over and (each > LINE // 4 or each == longest) for each in widest]
    room = max(0.92 - sum(each for each, shares in zip(widest, sharing, strict=True) if not shares) / LINE, 0.3)
    for column, shares in zip(table.columns, sharing, strict=True):
        part = room / max(sum(sharing), 1)
        kinds.append(rf">{{\raggedright\arraybackslash}}p{{{part:.2f}\linewidth}}" if shares else "lr"[column.right])
    return "".join(kinds)


def _cells(cells: list[str]) -> str:
    return " & ".join(map(escaped, cells))
