"""What a widget's own messages have in common."""

from textual.message import Message
from textual.widget import Widget


class WidgetMessage(Message):
    """A message of a widget by whose id a handler can choose, as in `@on(Table.Moved, "#runs")`."""

    def __init__(self, widget: Widget):
        super().__init__()
        self._widget = widget

    @property
    def control(self) -> Widget:
        return self._widget
