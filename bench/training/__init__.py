"""How fast bertmt trains, beside other ways to train the same encoder on the same data, side by side in one run.

`python -m bench.training` prints a row for each contender at each batch size, the ratios between them, and JSON.
"""
