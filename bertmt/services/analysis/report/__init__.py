"""A report about runs: gathered once, as sections of plain text, tables and figures; written in four formats."""
