"""What there is to learn of bertmt on a GPU within a quarter of an hour, on a machine without a network."""
