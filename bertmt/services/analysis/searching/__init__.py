"""Searches for the best recipe of a space: what is asked for, what is decided when, what came of it."""
