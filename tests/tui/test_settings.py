"""What a user chose, kept by several dashboards at once."""

from pathlib import Path
from typing import Any

from shown import Show

from tui.settings import Settings, read_settings, with_choices, write_settings


async def test_a_choice_in_one_dashboard_keeps_what_another_kept_since(show: Show, alive: Any, tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    known = {"settings": read_settings(file), "settings_file": file}
    async with show(**known) as one, show(**known) as two:
        one.app.change(filters={"mine": "sst>0.5"})
        await two.press("t")
        two.app.change(filters={"other": "lora>0"})
    assert read_settings(file).theme == two.app.theme != Settings().theme
    assert read_settings(file).filters == {"mine": "sst>0.5", "other": "lora>0"}


def test_of_a_table_only_what_differs_is_a_choice() -> None:
    known = Settings(filters={"old": "sst>0", "gone": "sts>0", "mine": "x"})
    kept = Settings(bell=True, filters={"gone": "sts>0", "mine": "y", "theirs": "para>0"})
    chosen = with_choices(kept, known, {"filters": {"old": "sst>0", "mine": "x", "new": "lora>0"}})
    assert chosen == Settings(bell=True, filters={"mine": "y", "theirs": "para>0", "new": "lora>0"})


async def test_a_file_of_choices_that_became_unreadable_is_told_and_not_overwritten(
    show: Show, alive: Any, tmp_path: Path
) -> None:
    file = tmp_path / "dashboard.toml"
    write_settings(file, Settings())
    async with show(settings=read_settings(file), settings_file=file) as shown:
        file.write_text("theme = [", encoding="utf-8")
        await shown.press("t")
        assert "fix it, or delete it" in shown.said
    assert file.read_text(encoding="utf-8") == "theme = ["
