"""Arms of several seeds: which runs they are, what is said of them, and how many more seeds would decide."""
