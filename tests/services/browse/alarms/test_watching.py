"""Which runs are watched, what is read of them, and where the rules are set."""

from collections.abc import Callable
from pathlib import Path

import pytest
from call_types import AddRun
from changed_run import changed

from bertmt.errors import UsageError
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.runs import run_by_key
from bertmt.services.browse.alarms.rules import Rules
from bertmt.services.browse.alarms.settings import alarm_rules, change_rules, rules_as_text, rules_in, rules_in_words
from bertmt.services.browse.alarms.watching import AlarmWatch
from bertmt.services.plan.user_settings import read_user_settings, write_user_settings


@pytest.fixture
def diverging(database: Database, add_run: AddRun) -> Callable[[], int]:
    """A running run whose loss goes up again; its key."""

    def add() -> int:
        run = add_run()
        points = [("loss/sst", step, 1.0 - step / 500 if step < 200 else 3.0) for step in range(300)]
        with database.immediate():
            metrics.append(database, run.key, points)
            database.execute("UPDATE runs SET state = 'running', events_offset = 1 WHERE key = ?", (run.key,))
        return int(run.key)

    return add


def test_a_running_run_that_diverges_has_an_alarm_and_one_that_ended_has_none(
    database: Database, diverging: Callable[[], int], tmp_path: Path
) -> None:
    run = run_by_key(database, diverging())
    watch = AlarmWatch(database, tmp_path)
    assert [each.rule for each in watch.of([run])[run.id]] == ["diverges"]
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
    assert watch.of([run_by_key(database, run.key)]) == {}


def test_bertmt_toml_switches_alarms_off_and_says_what_it_cannot_mean(
    database: Database, diverging: Callable[[], int], tmp_path: Path
) -> None:
    run = run_by_key(database, diverging())
    watch, settings = AlarmWatch(database, tmp_path), tmp_path / "bertmt.toml"
    settings.write_text("[alarms]\non = false\n", encoding="utf-8")
    assert watch.of([run]) == {}
    settings.write_text("[alarms]\ndiverges = -1\n", encoding="utf-8")
    assert "alarms.diverges expects a number" in watch.of([run])[run.id][0].sentence
    for text in ("[alarms]\non = 1\n", "[alarms]\nstall = 3\n", "[alarms]\nbehind = nan\n"):
        settings.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="alarms"):
            alarm_rules(tmp_path)


def test_the_means_are_those_of_whole_windows_and_of_a_long_run_the_first_and_the_newest(
    database: Database, add_run: AddRun
) -> None:
    run = add_run()
    with database.immediate():
        metrics.append(database, run.key, [("loss/sst", step, float(step)) for step in range(45)])
    read = metrics.window_means
    assert read(database, run.key, ["loss/sst", "loss/none"], 10, 9) == {
        "loss/sst": [4.5, 14.5, 24.5, 34.5],
        "loss/none": [],
    }
    assert read(database, run.key, ["loss/sst"], 10, 2) == {"loss/sst": [4.5, 24.5, 34.5]}


def test_the_table_of_alarms_is_no_setting_of_recipes_and_outlives_bertmt_init(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text("seed = 3\n[alarms]\nbehind = 0.1\n", encoding="utf-8")
    assert read_user_settings(tmp_path) == {"seed": 3}
    write_user_settings(tmp_path, {"seed": 4})
    assert read_user_settings(tmp_path) == {"seed": 4} and alarm_rules(tmp_path).behind == 0.1


def test_a_changed_record_is_read_again(database: Database, diverging: Callable[[], int], tmp_path: Path) -> None:
    run = run_by_key(database, diverging())
    watch = AlarmWatch(database, tmp_path)
    assert watch.of([run])
    with database.immediate():
        metrics.go_back(database, run.key, 150, -1, -1)
    assert watch.of([run]) and not watch.of([changed(run, events_offset=2)])


def test_the_rules_are_told_as_they_are_now(tmp_path: Path) -> None:
    settings = tmp_path / "bertmt.toml"
    settings.write_text("[alarms]\nstalls = 1000\nbehind = 0\n", encoding="utf-8")
    assert rules_in_words(tmp_path).startswith("The rules of alarms now: diverges 1.5, stalls 1000, behind off.")
    settings.write_text("[alarms]\non = false\n", encoding="utf-8")
    assert rules_in_words(tmp_path).startswith("Alarms are off")
    settings.write_text("[alarms]\nspeed = 1\n", encoding="utf-8")
    assert "'speed'" in rules_in_words(tmp_path)


def test_changed_rules_leave_all_else_in_the_file_as_it_is(tmp_path: Path) -> None:
    settings = tmp_path / "bertmt.toml"
    before, behind = '# mine\ndata = "here"  # relative', "[loss_weights]\nx = 1"
    for text in (before, f"{before}\n\n[alarms]  # old\nstalls = 7\n\n{behind}\n", ""):
        settings.write_text(text, encoding="utf-8")
        change_rules(Rules(stalls=1000, behind=0), tmp_path)
        assert alarm_rules(tmp_path) == Rules(stalls=1000, behind=0)
        written = settings.read_text(encoding="utf-8")
        assert before in written or not text
        assert (behind in written) == (behind in text) and "stalls = 7" not in written
    settings.unlink()
    assert change_rules(Rules(), tmp_path) == settings and alarm_rules(tmp_path) == Rules()


def test_alarms_that_stand_elsewhere_in_the_file_are_left_to_a_person(tmp_path: Path) -> None:
    text = "alarms.stalls = 7\n"
    (tmp_path / "bertmt.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="edit it by hand"):
        change_rules(Rules(), tmp_path)
    assert (tmp_path / "bertmt.toml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["stalls=-1", "stalls=many", "speed=1", "stalls", "on=1"])
def test_a_line_of_rules_is_checked(text: str) -> None:
    with pytest.raises(UsageError):
        rules_in(text)


def test_a_line_of_rules_comes_back_as_it_went() -> None:
    assert rules_in(rules_as_text(Rules(False, 2.0, 10, 0.5))) == Rules(False, 2.0, 10, 0.5)
