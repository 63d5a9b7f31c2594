"""Figures as SVG: within a page, in the colours that its style sheet gives; or as a file of their own, for print."""

from collections.abc import Callable
from html import escape
from itertools import groupby

from bertmt.drawing.figures.marks import COLOURS, Area, Dot, Figure, Mark, Place, Rule, Words
from bertmt.drawing.safe_text import safe_text

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
# Allowed in a string, refused in a document (XML 1.0, 2.2).
_NOT_IN_XML = {0xFFFE: "�", 0xFFFF: "�"}
Paint = Callable[[str], str]  # the name of a colour to what stands in an attribute


def svg_in_page(figure: Figure) -> str:
    """An element for a page whose style sheet has a variable `--NAME` for each of `COLOURS`."""
    return _svg(figure, lambda name: f"var(--{name})", "")


def svg_file(figure: Figure) -> str:
    """A document of its own, on a light ground that is not painted."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    size = f' width="{figure.width:g}pt" height="{figure.height:g}pt" xmlns="http://www.w3.org/2000/svg"'
    return f"{head}{_svg(figure, lambda name: COLOURS[name][0], size)}\n"


def xml_text(text: str) -> str:
    """A text as it stands in an element or an attribute, of HTML or XML."""
    return escape(safe_text(text).translate(_NOT_IN_XML))


def _svg(figure: Figure, paint: Paint, more: str) -> str:
    said = xml_text(figure.said)
    lines = [
        f'<svg viewBox="0 0 {figure.width:g} {figure.height:g}"{more} role="img" aria-label="{said}" '
        f'font-family="{escape(FONT)}">'
    ]
    for (paints, _), alike in groupby(figure.marks, lambda mark: (_paint_of(mark, paint), type(mark))):
        lines += [f"<g {paints}>", *map(_mark, alike), "</g>"]
    return "\n".join([*lines, "</svg>"])


def _paint_of(mark: Mark, paint: Paint) -> str:
    """What neighbours of one look share, so that a cloud of a thousand dots says it once."""
    colour = paint(mark.colour)
    if isinstance(mark, Rule):
        dashes = f' stroke-dasharray="{" ".join(f"{each:g}" for each in mark.dashes)}"' if mark.dashes else ""
        return f'style="fill:none;stroke:{colour}" stroke-width="{mark.width:g}" stroke-linejoin="round"{dashes}'
    opacity = 1.0 if isinstance(mark, Words) else mark.opacity
    return f'style="fill:{colour}"' + ("" if opacity == 1 else f' fill-opacity="{opacity:.3g}"')


def _mark(mark: Mark) -> str:
    match mark:
        case Rule():
            return f'<polyline points="{" ".join(map(_place, mark.places))}"/>'
        case Area():
            return f'<polygon points="{" ".join(map(_place, mark.places))}"/>'
        case Dot():
            return f'<circle cx="{mark.at[0]:.1f}" cy="{mark.at[1]:.1f}" r="{mark.radius:g}"/>'
        case Words():
            weight = ' font-weight="600"' if mark.bold else ""
            where = f'x="{mark.at[0]:.1f}" y="{mark.at[1]:.1f}" text-anchor="{mark.anchor}"'
            return f'<text {where} font-size="{mark.size:g}"{weight}>{xml_text(mark.text)}</text>'


def _place(place: Place) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"
