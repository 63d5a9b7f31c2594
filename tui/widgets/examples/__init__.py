"""Examples of a task in lists, on several screens."""
