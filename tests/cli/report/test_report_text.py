"""Names, sentences and classes that are markup somewhere are text in every format of a report."""

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import registry_builder
from command_outcome import Outcome
from markdown_it import MarkdownIt
from read_pages import Page
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.drawing.safe_text import safe_text
from bertmt.services.analysis.report.latex import escaped
from bertmt.tasks.examples import Example

Bertmt = Callable[..., Outcome]
# What HTML, SVG, Markdown, LaTeX, spreadsheets and shells would make something of.
MARKED = (
    "=cmd|' /c calc'!A0 <script>alert(1)</script> </style></pre>--> \" onload=x '; rm -rf ~; `id` $(id) "
    "\\input{/etc/passwd} \\end{document} \\write18{id} %c #1 {{ $x$ _u_ *b* [a](http://b.example) ![c](d) "
    f"https://e.example &lt; | q\n# h\n1. i ﷽ 中 {HOSTILE}"
)
FORMATS = ("html", "md", "tex", "csv")


@pytest.fixture
def hostile(bertmt: Bertmt, builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A report about two runs whose names, sentences and data are hostile, by its ending: `hostile("md")`."""
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    examples = tuple(Example(f"{MARKED}{i}", f"{MARKED} {i}", None, i % 5) for i in range(registry_builder.COUNT))
    monkeypatch.setitem(registry_builder.EXAMPLES, "sst", examples)
    ids = [builder.finished(MARKED, right=right, epochs=2 + at).id for at, right in enumerate((0.2, 0.8))]
    with builder.database.immediate():
        builder.database.execute("UPDATE runs SET data = ?", (MARKED,))

    def make(ending: str, *more: str) -> str:
        outcome = bertmt("report", *ids, "-o", f"hostile.{ending}", *more)
        assert outcome.code == 0, outcome.err
        return Path(f"hostile.{ending}").read_text(encoding="utf-8")

    return make


@pytest.mark.parametrize("ending", FORMATS)
def test_nothing_raw_is_in_any_format(hostile: Callable[..., str], ending: str) -> None:
    text = hostile(ending)
    assert "evil" in text and re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text) is None


# What a page is made of; anything else came out of a text.
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "nav", "a", "h1", "h2", "h3", "p", "section",
    "ul", "li", "div", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "figure", "figcaption",
    "svg", "g", "polyline", "polygon", "circle", "text",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "href", "class", "id", "scope", "colspan", "viewbox", "role",
    "aria-label", "font-family", "style", "stroke-width", "stroke-linejoin", "stroke-dasharray", "points", "x", "y",
    "text-anchor", "font-size", "font-weight", "cx", "cy", "r", "fill-opacity",
}  # fmt: skip


def test_in_html_it_is_text_and_the_page_fetches_nothing(hostile: Callable[..., str]) -> None:
    page = Page(hostile("html"))
    assert set(page.tags) <= ELEMENTS and {name for _, name, _ in page.attributes} <= ATTRIBUTES
    cells = [cell for table in page.tables for row in table for cell in row]
    assert safe_text(MARKED) in page.text and any(safe_text(MARKED) in each for each in cells)
    leads = [value for _, name, value in page.attributes if name in ("href", "src")]
    assert leads and all(re.fullmatch(r"#s\d+", each) for each in leads)
    inline = [value for _, name, value in page.attributes if name == "style"]
    sheets = [text for tag, text in page.texts if tag == "style"]
    assert all(re.fullmatch(r"(?:fill:none;)?(?:fill|stroke):var\(--\w+\)", each) for each in inline)
    assert len(sheets) == 1 and not re.search(r"url|@import|http|expression", sheets[0])
    [policy] = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
    assert policy.startswith("default-src 'none'")


def test_the_style_sheet_knows_every_colour_that_is_used_on_both_grounds(hostile: Callable[..., str]) -> None:
    text = hostile("html")
    used = set(re.findall(r"var\((--\w+)\)", text))
    light, _, dark = text.partition("@media screen and (prefers-color-scheme:dark)")
    assert used and all(f"{each}:#" in light and f"{each}:#" in dark.partition("\n")[0] for each in used)


def test_in_markdown_it_is_text(hostile: Callable[..., str]) -> None:
    text = hostile("md", "--figures", "fig")
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": True}).parse(text)
    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *inline]}
    assert kinds & {"html_inline", "link_open", "em_open", "strong_open", "hr", "s_open"} == set()
    # The mark at the end, by which the file is known as a report's, is the one comment.
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert len(blocks) == 1 and re.fullmatch(r"<!-- bertmt report sha256:[0-9a-f]{64} -->\n", blocks[0])
    sources = [child.attrs["src"] for child in inline if child.type == "image"]
    assert sources and all(re.fullmatch(r"fig/[a-z0-9-]+\.svg", str(each)) for each in sources)
    cells = ["".join(part.content for part in token.children or []) for token in tokens if token.type == "inline"]
    assert any(safe_text(MARKED) in each for each in cells)
    widths: set[Any] = set()
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
    assert widths


# Every command that a report may have, outside of its preamble.
COMMANDS = {
    "begin", "end", "item", "section", "subsection", "small", "footnotesize", "itshape", "ttfamily", "texttt",
    "raggedright", "arraybackslash", "linewidth", "LARGE", "bfseries", "par", "bigskip", "hspace", "includegraphics",
    "setlength", "tabcolsep", "toprule", "midrule", "bottomrule", "endhead", "multicolumn", "ensuremath", "rho",
    "varphi", "Delta", "geq", "leq", "approx", "to", "times", "pm", "dots", "other", "allowbreak", "textbackslash",
    "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "textquotedbl", "textquotesingle",
    "textasciigrave", "textendash", "textemdash", "textquotedblleft", "textquotedblright", "textquoteright",
    "textquoteleft", "textperiodcentered",
}  # fmt: skip


def body_of(latex: str) -> str:
    return latex.partition("\\begin{document}")[2]


def test_in_latex_it_is_text_and_everything_is_closed(hostile: Callable[..., str]) -> None:
    body = body_of(hostile("tex", "--figures", "fig"))
    plain = body.replace("\\\\", " ")  # ends of lines
    assert set(re.findall(r"\\([A-Za-z]+)", plain)) <= COMMANDS
    assert set(re.findall(r"\\([^A-Za-z])", plain)) <= set("{}$&#_%")
    assert re.search(r"(?<!\\)[#^~]", plain) is None
    comments = re.findall(r"(?<!\\)%(.*)", plain)
    assert {each.partition(":")[0] for each in comments if each} == {" bertmt report sha256"}
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", plain):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", body):
        if kind == "begin":
            opened.append(name)
        elif name == "document":
            assert opened == []
        else:
            assert opened.pop() == name
    assert body.count("\\end{document}") == 1
    for row in re.findall(r"^.* \\\\$", body, re.MULTILINE):
        assert "multicolumn" in row or len(re.findall(r"(?<!\\)&", row)) >= 1


def test_latex_makes_pages_of_it(hostile: Callable[..., str], folder: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not here: whether LaTeX makes pages of a report was not tried")
    hostile("tex")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "hostile.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    said = done.stdout.decode("utf-8", "replace")
    if "not found" in said:
        pytest.skip("this LaTeX lacks a package: whether it makes pages of a report was not tried")
    assert done.returncode == 0 and (folder / "hostile.pdf").stat().st_size > 1000, said[-2000:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\\b", "a\\textbackslash{}b"),
        ("{x}", "\\{x\\}"),
        ("50 % & #1 $y$", "50 \\% \\& \\#1 \\$y\\$"),
        ("--set", "-{}-{}set"),
        ("ρ ≥ −0.1", "\\ensuremath{\\rho} \\ensuremath{\\geq} \\ensuremath{-}0.1"),
        ("é ß", "é ß"),
        ("a*b", "a{*}b"),
        ("中\x1b", "\\other{中}{4E2D}\\other{�}{FFFD}"),
    ],
)
def test_latex_is_escaped_letter_by_letter(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_in_csv_no_text_is_a_formula(hostile: Callable[..., str]) -> None:
    rows = list(csv.reader(io.StringIO(hostile("csv"))))
    assert {len(row) for row in rows} == {len(rows[0])} and "arm" in rows[0]
    cells = [cell for row in rows for cell in row]
    begun = [each for each in cells if each[:1] in ("=", "+", "-", "@", "|", "%", "\t", "\r")]
    assert all(re.fullmatch(r"-\d+(\.\d+)?(e-?\d+)?", each) for each in begun)
    assert any(each.startswith("'=cmd|") for each in cells)


def test_the_figures_of_hostile_names_are_plain_svg(hostile: Callable[..., str], folder: Path) -> None:
    hostile("csv", "--figures", "fig")
    drawn = [each.read_text(encoding="utf-8") for each in (folder / "fig").glob("*.svg")]
    assert len(drawn) > 5
    for text in drawn:
        page = Page(text.partition("\n")[2])
        assert set(page.tags) <= {"svg", "g", "polyline", "polygon", "circle", "text"}
        assert "var(" not in text and "script>" not in page.tags
    assert all(re.fullmatch(r"[a-z0-9-]+\.(svg|pdf|png)", each.name) for each in (folder / "fig").glob("[!.]*"))
