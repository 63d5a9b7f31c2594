"""What became of each mistake: cells by hand, and that they add up to both confusion matrices."""

import numpy as np
import pytest

from bertmt.comparison.flips import flip_cells, flips, in_either_cell

#            right  fixed  broken  stays  moves  broken
LABELS = np.array([0, 1, 2, 2, 1, 2])
BEFORE = np.array([0, 0, 2, 1, 2, 2])
AFTER = np.array([0, 1, 0, 1, 0, 0])


def test_every_mistake_is_where_a_hand_puts_it() -> None:
    cells = flip_cells(LABELS, BEFORE, AFTER, 3)
    assert np.argwhere(cells.before).tolist() == [[1, 0], [1, 2], [2, 1]]
    assert np.argwhere(cells.fixed).tolist() == [[1, 0]]
    assert np.argwhere(cells.left).tolist() == [[1, 2]]
    assert np.argwhere(cells.entered).tolist() == [[1, 0]]
    assert (np.argwhere(cells.broken).tolist(), cells.broken[2, 0]) == ([[2, 0]], 2)
    assert cells.by_movement() == [(1, 0), (2, 0), (1, 2)]  # 1 → 0 was fixed once and entered once


def test_cells_add_up_to_the_mistakes_of_both_runs() -> None:
    rng = np.random.default_rng(0)
    labels, a, b = rng.integers(4, size=(3, 500))
    cells = flip_cells(labels, a, b, 4)
    for mistakes, predicted in ((cells.before, a), (cells.after, b)):
        expected = np.zeros((4, 4), dtype=int)
        for label, guess in zip(labels, predicted, strict=True):
            expected[label, guess] += label != guess
        np.testing.assert_array_equal(mistakes, expected)
    found = flips(labels, a, b)
    assert (cells.fixed.sum(), cells.broken.sum()) == (len(found.fixed), len(found.broken))


@pytest.mark.parametrize(("cell", "examples"), [((1, 0), [1, 4]), ((2, 2), [2, 5]), ((0, 1), [])])
def test_a_cell_holds_what_either_run_puts_there(cell: tuple[int, int], examples: list[int]) -> None:
    assert np.flatnonzero(in_either_cell(LABELS, BEFORE, AFTER, cell)).tolist() == examples
