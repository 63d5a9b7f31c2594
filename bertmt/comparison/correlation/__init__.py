"""Intervals and tests of correlations, and of the difference of two."""
