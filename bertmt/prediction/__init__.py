"""The child that predicts: JSON lines in, JSON lines out. Started as `python -m bertmt.prediction <run folder>`."""
