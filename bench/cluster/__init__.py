"""What a Slurm's queue of thousands costs one worker; `python -m bench.cluster`."""
