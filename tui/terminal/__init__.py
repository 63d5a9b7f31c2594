"""What the terminal is like, and what may reach it."""
