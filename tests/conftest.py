"""Fixtures that every test may use."""

from pathlib import Path

import pytest

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A CS224N folder with real data, beside the checkout; tests that need it skip where there is none."""
    folder = REAL_DATA / "cs224n"
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA: {folder} is missing, so this test measured nothing")
    return folder


@pytest.fixture(scope="session")
def real_extra_pairs(real_data: Path) -> Path:
    """Real extra paraphrase pairs, 2,755 of them."""
    return real_data.parent / "extra" / "duplicates.jsonl.gz"
