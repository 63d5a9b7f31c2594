"""What a table tells of itself."""

from textual.widget import Widget

from tui.widgets.messages import WidgetMessage
from tui.widgets.tables.columns import Column


class OfRow(WidgetMessage):
    """About a row; None where the table has none."""

    def __init__(self, table: Widget, row: object | None):
        super().__init__(table)
        self.row = row


class OfColumn(WidgetMessage):
    """About a column."""

    def __init__(self, table: Widget, column: Column):
        super().__init__(table)
        self.column = column
