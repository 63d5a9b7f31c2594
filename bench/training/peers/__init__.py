"""Other ways to train the same encoder: a course's loop, a plain fast loop, the trainers of two libraries."""
