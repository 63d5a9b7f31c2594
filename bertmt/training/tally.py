"""What a run has used so far: examples and tokens by stream, batches without a loss."""

from collections import Counter
from collections.abc import Mapping

from bertmt.training.batches import Batch, BatchStream


class Tally:
    """Counts over the whole run."""

    def __init__(self) -> None:
        self.examples: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.pearson_batches = 0
        self.pearson_undefined = 0

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
        if not self.pearson_undefined:
            return []
        return [
            f"The Pearson loss was undefined in {self.pearson_undefined} of {self.pearson_batches} batches (fewer than "
            f"3 pairs, or no variance): these trained STS with nothing."
        ]
