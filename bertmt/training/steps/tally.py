"""What a run has used so far: examples and tokens by stream, batches without a loss."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bertmt.training.steps.batches import Batch, BatchStream


class Tally:
    """Counts over the whole run.

    Attributes:
        differences: why the run is not bit-exact, a sentence each: it was resumed under other conditions.
    """

    def __init__(self) -> None:
        self.examples: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.pearson_batches = 0
        self.pearson_undefined = 0
        self.differences: list[str] = []

    def add(self, name: str, batch: Batch) -> None:
        """Count a batch of a task or pretraining phase."""
        self.examples[name] += len(batch.rows)
        self.tokens[name] += batch.token_count

    def add_pearson(self, defined: bool) -> None:
        """Count a batch that should have had a Pearson loss."""
        self.pearson_batches += 1
        self.pearson_undefined += not defined

    def passes(self, streams: Mapping[str, BatchStream]) -> dict[str, float]:
        """How often each stream's examples were used."""
        return {name: round(self.examples[name] / stream.examples, 4) for name, stream in streams.items()}

    def remarks(self) -> list[str]:
        """What a reader of the scores should know."""
        found = list(self.differences)
        if self.pearson_undefined:
            found.append(self._undefined())
        return found

    def _undefined(self) -> str:
        return (
            f"The Pearson loss was undefined in {self.pearson_undefined} of {self.pearson_batches} batches (fewer than "
            f"3 examples, or no variance): these trained nothing."
        )

    def state(self) -> dict[str, Any]:
        """All counts, for JSON."""
        return dict(vars(self))

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` was."""
        self.examples, self.tokens = Counter(state["examples"]), Counter(state["tokens"])
        self.pearson_batches, self.pearson_undefined = state["pearson_batches"], state["pearson_undefined"]
        self.differences = list(state["differences"])
