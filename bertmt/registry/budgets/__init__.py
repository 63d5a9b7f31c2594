"""What attempts used, in time and energy, and how much the runs of one command may use together."""
