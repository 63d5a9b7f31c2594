"""Text from outside in Markdown and in the YAML before it: it stays text, whatever it holds."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bertmt.drawing.safe_text import safe_text

# What is markup within a line, GitHub's included: emphasis, code, links, HTML, cells, formulas, entities, addresses,
# and the end of a heading.
_MARKS = re.compile(r"([\\`*_\[\]<~|$&@#]|(?<=:)/(?=/)|(?<=\bwww)\.)")
# What is at its beginning: a list, a quotation, a rule.
_BEGINS = re.compile(r"([>+=-])|(\d+)([.)])")
_RUNS = re.compile("`+")


def escaped(text: str) -> str:
    """A text within a line or a cell of a table, or a line of its own."""
    shown = safe_text(text).strip()
    begins = _BEGINS.match(shown)
    if begins is None:
        return _MARKS.sub(r"\\\1", shown)
    number, mark = begins[2] or "", begins[1] or begins[3]
    rest = _MARKS.sub(r"\\\1", shown[begins.end() :])
    return f"{number}\\{mark}{rest}"


def within(text: str) -> str:
    """A text that begins no line, as in a cell of a table: numbers stay as they are."""
    return _MARKS.sub(r"\\\1", safe_text(text).strip())


def fenced(text: str, language: str) -> str:
    """A text as a block of code: its fence is longer than any that the text has."""
    shown = safe_text(text, keep_newlines=True).strip("\n")
    fence = "`" * max(3, 1 + max(map(len, _RUNS.findall(shown)), default=0))
    return f"{fence}{language}\n{shown}\n{fence}"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are escaped already, the first column on the left and the others on the right."""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows))


def front_matter(entries: Mapping[str, Any], note: str) -> str:
    """What the Hugging Face hub reads of a model card: YAML, of which JSON is a part.

    Args:
        note: a comment of ours at its end.
    """
    lines = [f"{name}: {json.dumps(_safe(value), ensure_ascii=False)}" for name, value in entries.items()]
    return "\n".join(["---", *lines, f"# {note}", "---"])


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, Mapping):
        return {str(_safe(name)): _safe(each) for name, each in value.items()}
    return [_safe(each) for each in value] if isinstance(value, list | tuple) else value
