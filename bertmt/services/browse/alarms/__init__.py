"""What is wrong with runs that are training: by which rules, and where they are set."""
