"""Whether words are wanted in place of pictures; known at a start that imports nothing to draw with."""

import os

PLAIN_VARIABLE = "BERTMT_PLAIN"  # in the environment, for both front ends


def words_are_wanted() -> bool:
    """Whether the environment asks for them: `BERTMT_PLAIN`, unless it is empty or 0."""
    return os.environ.get(PLAIN_VARIABLE, "") not in ("", "0")
