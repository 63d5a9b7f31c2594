"""Figures for pages and print: each drawn once, as marks, of what the charts of a terminal are drawn of."""
