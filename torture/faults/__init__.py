"""Faults as text, and the wrapped calls that they go wrong in; `python -m torture.faults` runs a program under them."""
