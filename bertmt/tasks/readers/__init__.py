"""Readers of a user's own data: CSV, TSV, JSON lines and Parquet, as rows of named values."""
