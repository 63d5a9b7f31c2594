"""The key of the comparison that writes a report."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show


async def test_a_key_writes_a_report_of_what_is_compared_and_says_where(
    show: Show, opened: Any, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    async with show() as shown:
        await opened(shown, 1, 2)
        await shown.press("ctrl+l")
        [page] = (tmp_path / "here").iterdir()
        assert page.name.startswith("bertmt-report-run001-run002-") and f"Report saved to {page}" in shown.said
        assert "<h1>better (run002) against base (run001)</h1>" in page.read_text(encoding="utf-8")
        page.unlink()
        await shown.press("down", "T", "ctrl+l")
        [page] = (tmp_path / "here").iterdir()
        assert "<h1>base (run001) against better (run002)</h1>" in page.read_text(encoding="utf-8")


async def test_a_report_of_runs_without_scores_is_refused(
    show: Show, opened: Any, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    async with show() as shown:
        await opened(shown, 6, 7)
        await shown.press("ctrl+l")
        assert "A report needs a run with scores" in shown.said
    assert list((tmp_path / "here").iterdir()) == []
