"""What a user chose, kept by several dashboards at once."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt import paths
from tui.__main__ import dashboard, parser
from tui.settings import Settings, View, read_settings, with_choices, write_settings


async def test_a_choice_in_one_dashboard_keeps_what_another_kept_since(show: Show, alive: Any, tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    known = {"settings": read_settings(file), "settings_file": file}
    async with show(**known) as one, show(**known) as two:
        one.app.change(views={"mine": View("sst>0.5")})
        await two.press("t")
        two.app.change(views={"other": View("lora>0")})
    assert read_settings(file).theme == two.app.theme != Settings().theme
    assert read_settings(file).views == {"mine": View("sst>0.5"), "other": View("lora>0")}


def test_of_a_table_only_what_differs_is_a_choice() -> None:
    old, gone, mine = View("sst>0"), View("sts>0"), View("x")
    other, theirs, new = View("y"), View("para>0"), View("lora>0")
    known = Settings(views={"old": old, "gone": gone, "mine": mine})
    kept = Settings(bell=True, views={"gone": gone, "mine": other, "theirs": theirs})
    chosen = with_choices(kept, known, {"views": {"old": old, "mine": mine, "new": new}})
    assert chosen == Settings(bell=True, views={"mine": other, "theirs": theirs, "new": new})


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


def test_what_was_saved_as_a_filter_alone_is_a_view_that_leaves_all_else(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    file.write_text('[filters]\n"with lora" = "lora>0"\n[views.mine]\nfilter = "sst>0"\norder = "-sst"\n')
    kept = read_settings(file)
    assert kept.views == {"with lora": View("lora>0"), "mine": View("sst>0", order="-sst")}
    write_settings(file, kept)
    assert read_settings(file) == kept


async def test_a_damaged_file_of_choices_keeps_nobody_from_the_dashboard_and_stays_as_it_is(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = paths.dashboard_settings()
    file.parent.mkdir(parents=True)
    file.write_text("[views.mine]\nfilter = 3\n")
    app = dashboard(parser().parse_args(["--db", str(registry)]))
    app.poll_seconds = 0
    async with app.run_test():
        [said] = [each.message for each in app._notifications]
        assert "fix it, or delete it" in said and str(file) in said
        assert app.settings == Settings()
        app.change(bell=True)
    assert file.read_text() == "[views.mine]\nfilter = 3\n"
