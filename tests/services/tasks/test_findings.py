"""Which examples an audit speaks of."""

from bertmt.services.tasks.findings import findings
from bertmt.tasks.examples import Example, Split


def split(name: str, *rows: tuple[str, float | None]) -> Split:
    return Split("t", name, tuple(Example(f"{name}{at}", text, None, label) for at, (text, label) in enumerate(rows)))


def test_examples_are_found_by_their_very_texts() -> None:
    found = findings(
        {
            "train": split("train", ("a", 0), ("b", 1), ("a", 0), ("c", 1)),
            "dev": split("dev", ("b", 0), ("x", 1), ("x", 1), ("B", 0)),
            "test": split("test", ("c", None), ("y", None)),
        }
    )
    listed = {name: {each: indices.tolist() for each, indices in of.items()} for name, of in found.items()}
    assert listed == {
        "train": {"all": [0, 1, 2, 3], "repeated": [2], "conflicting": [1]},
        "dev": {"all": [0, 1, 2, 3], "in train": [0], "repeated": [2], "conflicting": [0]},
        "test": {"all": [0, 1], "in train": [0], "unlabelled": [0, 1]},
    }


def test_pairs_are_equal_in_their_order_alone() -> None:
    train = Split("t", "train", (Example("1", "a", "b", 0), Example("2", "b", "a", 1), Example("3", "a", "b", 1)))
    found = findings({"train": train})["train"]
    assert found["repeated"].tolist() == [2] and found["conflicting"].tolist() == [0, 2]
