"""Text from outside (data rows, names, tags, log lines, exceptions) made safe for a terminal.

Neither rich nor Textual stops escape sequences in content: OSC can set the title or the clipboard, CSI can clear
the screen, bidirectional controls can make a line read otherwise than it is. Whatever did not come from this
program's own source goes through here on its way to a screen; stored data and `--json` keep the raw text.
"""

REPLACEMENT = "�"

_RANGES = (
    (0x00, 0x1F),  # C0: ESC, BEL, carriage return …
    (0x7F, 0x9F),  # DEL, and C1, where CSI and OSC are single characters
    (0x61C, 0x61C),  # Arabic letter mark
    (0x200B, 0x200F),  # zero-width characters, left-to-right and right-to-left marks
    (0x2028, 0x202E),  # line and paragraph separator, embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, isolates, deprecated format characters
    (0xD800, 0xDFFF),  # lone surrogates: not encodable, so that writing them would raise
    (0xFEFF, 0xFEFF),  # zero-width no-break space
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0xE0000, 0xE007F),  # tags: invisible copies of ASCII
)
# A tab becomes one space: where it would jump to is the terminal's choice, and breaks every column.
_ONE_LINE = {code: REPLACEMENT for first, last in _RANGES for code in range(first, last + 1)} | {ord("\t"): " "}
_LINES = {code: shown for code, shown in _ONE_LINE.items() if code != ord("\n")}


def safe_text(text: str, keep_newlines: bool = False) -> str:
    """The text with every control or invisible character replaced by U+FFFD, and tabs by a space.

    Length is kept, so positions in the result are positions in the text.
    """
    # Most text is printable as it stands, and str.isprintable is several times faster than a translation. It
    # is stricter than the table above (it also stops unassigned code points), so it never lets more through.
    if text.isprintable():
        return text
    return text.translate(_LINES if keep_newlines else _ONE_LINE)
