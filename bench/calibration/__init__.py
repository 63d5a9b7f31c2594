"""`make calibrate`: how often each procedure of `bertmt compare` is wrong, where the truth is known."""
