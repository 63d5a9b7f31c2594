"""The tabs of the screen about one run, one module each."""
