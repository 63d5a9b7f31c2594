"""Lists of rows: columns, marks, and the widget."""
