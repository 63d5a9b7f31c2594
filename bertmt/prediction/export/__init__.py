"""The child that writes a trained model for another library: `python -m bertmt.prediction.export`."""
