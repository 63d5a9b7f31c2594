"""Figures as PDF and PNG for print, by matplotlib (`pip install "bertmt[figures]"`): the same marks as in SVG."""

import io
import warnings
from typing import Any

from bertmt.drawing.figures.marks import COLOURS, Area, Dot, Figure, Mark, Rule, Words
from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError

POINTS_PER_INCH = 72
DOTS_PER_INCH = 300
FORMATS = ("pdf", "png")
_ALIGNED = {"start": "left", "middle": "center", "end": "right"}
_CREATOR = {"pdf": {"Creator": "bertmt report", "CreationDate": None}, "png": {"Software": "bertmt report"}}


def printed(figure: Figure, kind: str) -> bytes:
    """The content of a file.

    Args:
        kind: one of `FORMATS`.

    Raises:
        BertmtError: matplotlib is missing.
    """
    matplotlib = _matplotlib()
    page = matplotlib.figure.Figure(figsize=(figure.width / POINTS_PER_INCH, figure.height / POINTS_PER_INCH))
    axes = page.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, figure.width)
    axes.set_ylim(figure.height, 0)
    axes.set_axis_off()
    for order, mark in enumerate(figure.marks):
        _draw(matplotlib, axes, mark, order)
    content = io.BytesIO()
    # Type 42 fonts stay text in a PDF; journals refuse matplotlib's usual type 3.
    with matplotlib.rc_context({"pdf.fonttype": 42}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # its font lacks a letter, and draws a box
        page.savefig(content, format=kind, dpi=DOTS_PER_INCH, metadata=_CREATOR[kind])
    return content.getvalue()


def can_print() -> bool:
    """Whether matplotlib is here."""
    try:
        _matplotlib()
    except BertmtError:
        return False
    return True


def _matplotlib() -> Any:
    """The package without `pyplot`, which keeps figures and asks for a window."""
    try:
        import matplotlib.figure  # noqa: PLC0415 - of an extra, and 0.3 s
        import matplotlib.patches  # noqa: PLC0415
    except ImportError:
        raise BertmtError('PDF and PNG need matplotlib: `pip install "bertmt[figures]"`.') from None
    return matplotlib


def _draw(matplotlib: Any, axes: Any, mark: Mark, order: int) -> None:
    colour = COLOURS[mark.colour][0]
    match mark:
        case Rule():
            xs, ys = zip(*mark.places, strict=True)
            # Dashes are in units of a line's width there.
            style = (0, tuple(each / mark.width for each in mark.dashes)) if mark.dashes else "-"
            axes.plot(xs, ys, color=colour, linewidth=mark.width, linestyle=style, zorder=order)
        case Area():
            xs, ys = zip(*mark.places, strict=True)
            axes.fill(xs, ys, color=colour, alpha=mark.opacity, linewidth=0, zorder=order)
        case Dot():
            about = {"color": colour, "alpha": mark.opacity, "linewidth": 0, "zorder": order}
            axes.add_patch(matplotlib.patches.Circle(mark.at, mark.radius, **about))
        case Words():
            # `parse_math`: a text between dollars is no formula.
            axes.text(
                *mark.at, safe_text(mark.text), parse_math=False, zorder=order, color=colour, fontsize=mark.size,
                ha=_ALIGNED[mark.anchor], va="baseline", fontweight="bold" if mark.bold else "normal",
            )  # fmt: skip
