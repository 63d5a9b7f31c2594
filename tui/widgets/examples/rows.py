"""Numbers of examples as the rows of a table."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from tui.widgets.tables.table import Table


class Indices(Sequence[int]):
    """Numbers of examples as rows of a table; 40,000 are an array, not objects."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> "Indices": ...
    def __getitem__(self, place: int | slice) -> "int | Indices":
        return Indices(self.array[place]) if isinstance(place, slice) else int(self.array[place])

    def __iter__(self) -> Iterator[int]:
        return iter(self.array.tolist())

    def place_of(self, key: object) -> int | None:
        """Where an example stands; None where it is not among them."""
        found = np.flatnonzero(self.array == key)
        return int(found[0]) if len(found) else None


class ExampleRows(Table[int]):
    """Indices of examples; all that is known of one is below the table, so there is nothing to open."""

    DEFAULT_CSS = "ExampleRows.empty { height: 1; }"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" and super().check_action(action, parameters)
