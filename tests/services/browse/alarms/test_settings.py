"""`[alarms]` of `bertmt.toml`: what cannot be meant is told in a sentence."""

from pathlib import Path

import pytest

from bertmt.errors import UsageError
from bertmt.services.browse.alarms.rules import Rules
from bertmt.services.browse.alarms.settings import alarm_rules, change_rules, rules_in, rules_in_words


def test_a_number_of_hundreds_of_digits_is_refused() -> None:
    with pytest.raises(UsageError, match=r"alarms\.stalls expects a number from 0"):
        rules_in("stalls=" + "9" * 310)


def test_a_working_folder_that_was_removed_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    said = r"No bertmt\.toml can be looked for here: "
    assert rules_in_words().startswith(said.replace("\\", ""))
    for act in (alarm_rules, lambda: change_rules(Rules())):
        with pytest.raises(UsageError, match=said):
            act()


def test_a_file_that_goes_between_reading_and_writing_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bertmt.toml"
    path.write_text("[alarms]\non = true\n")
    monkeypatch.chdir(tmp_path)
    asked = []

    def vanishes(self: Path, **_: object) -> bool:
        asked.append(self)
        path.unlink(missing_ok=True)
        return True

    rules = alarm_rules()
    monkeypatch.setattr(Path, "is_file", vanishes)
    monkeypatch.setattr("bertmt.services.plan.user_settings._read", lambda start: (path, {}))
    with pytest.raises(UsageError, match=r"bertmt\.toml cannot be written: "):
        change_rules(rules)
    assert asked == [path]
