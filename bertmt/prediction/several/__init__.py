"""The child that several runs are tried with, side by side. Started as `python -m bertmt.prediction.several`."""
