"""Telling people who are not looking: what is worth it, and through what."""
