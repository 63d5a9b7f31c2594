"""Tables for CLI and TUI."""

from bertmt.drawing.styled import plain
from bertmt.drawing.tables import Column, Row, table


def test_no_escape_sequence_of_a_title_reaches_the_screen() -> None:
    [head, *_] = table([Column("T\x1b]0;x\x07i", True)], [Row(["1"])], None)
    assert "\x1b" not in plain(head) and "\x07" not in plain(head)
