"""What a table tells of itself."""

from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.widgets.tables.columns import Column

if TYPE_CHECKING:
    from textual.widget import Widget


class OfTable(Message):
    """Sent by a table, whose id may stand in the selector of who listens."""

    def __init__(self, table: Any):
        super().__init__()
        self.table = table

    @property
    def control(self) -> "Widget":
        widget: Widget = self.table
        return widget


class OfRow(OfTable):
    """About a row; None where the table has none."""

    def __init__(self, table: Any, row: object | None):
        super().__init__(table)
        self.row = row


class OfColumn(OfTable):
    """About a column."""

    def __init__(self, table: Any, column: Column):
        super().__init__(table)
        self.column = column
