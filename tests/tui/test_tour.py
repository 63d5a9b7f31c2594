"""`make screenshots`: a stop that cannot be shown is told of, and costs no other picture."""

from pathlib import Path

import pytest

from tui import tour
from tui.tour import STOPS, Stop, main


def test_a_stop_without_what_it_waits_for_is_told_and_the_others_are_made(
    registry: Path, tmp_path: Path, alive: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tour, "PATIENCE_SECONDS", 0.5)
    folder = tmp_path / "pictures"
    monkeypatch.setattr(tour, "STOPS", (Stop("never", ("g",), until="what never comes"), *STOPS))
    assert main([str(folder), "--db", str(registry), "--only", "never", "queue"]) == 1
    assert [each.name for each in folder.iterdir()] == ["queue.svg"]
    assert capsys.readouterr().err.startswith("never: 'what never comes' did not come")


def test_every_picture_of_the_tour_is_one_that_the_program_makes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tour.md").read_text(encoding="utf-8")
    shown = {part.partition(".svg")[0] for part in page.split("](pictures/")[1:]}
    assert shown <= {stop.name for stop in STOPS}
    assert {"devices", "data", "marks", "palette"} <= shown
