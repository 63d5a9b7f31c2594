"""Trying runs: what several trained models say of a text that somebody types, side by side."""
