"""`bertmt-tui` in a pseudo-terminal: `python -m bench.dashboard --json FILE`."""
