"""A user's own losses and heads: loaded in children alone, from sources that the recipe has the digest of."""
