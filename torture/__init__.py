"""Faults against bertmt from outside: kills, failing calls, full disks, damage. See `python -m torture`."""
