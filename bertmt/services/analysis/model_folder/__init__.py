"""A run's model as a folder for another library, with a model card."""
