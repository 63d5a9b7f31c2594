"""Where everything lies, and which of several answers wins."""

from pathlib import Path

import pytest

from bertmt import paths


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BERTMT_DB", "BERTMT_CACHE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_without_any_hint_the_registry_is_in_the_working_folder(tmp_path: Path) -> None:
    assert paths.registry_path(start=tmp_path) == tmp_path / "runs.db"


def test_a_registry_in_a_parent_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "runs.db").touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert paths.registry_path(start=inner) == tmp_path / "runs.db"


def test_the_nearest_registry_wins(tmp_path: Path) -> None:
    inner = tmp_path / "a"
    inner.mkdir()
    (tmp_path / "runs.db").touch()
    (inner / "runs.db").touch()
    assert paths.registry_path(start=inner) == inner / "runs.db"


def test_a_folder_called_runs_db_is_no_registry(tmp_path: Path) -> None:
    inner = tmp_path / "a"
    inner.mkdir()
    (tmp_path / "runs.db").mkdir()
    assert paths.registry_path(start=inner) == inner / "runs.db"


def test_the_option_wins_over_the_variable_and_the_variable_over_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs.db").touch()
    monkeypatch.setenv("BERTMT_DB", str(tmp_path / "variable.db"))
    assert paths.registry_path(start=tmp_path) == tmp_path / "variable.db"
    assert paths.registry_path(tmp_path / "option.db", start=tmp_path) == tmp_path / "option.db"


def test_an_empty_variable_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTMT_DB", "")
    assert paths.registry_path(start=tmp_path) == tmp_path / "runs.db"


def test_a_relative_registry_becomes_absolute_and_home_is_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert paths.registry_path("mine.db") == tmp_path / "mine.db"
    assert paths.registry_path("~/mine.db") == tmp_path / "home" / "mine.db"


def test_the_working_folder_is_where_looking_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.registry_path() == tmp_path / "runs.db"
    assert paths.settings_path() is None
    (tmp_path / "bertmt.toml").touch()
    assert paths.settings_path() == tmp_path / "bertmt.toml"


def test_settings_are_found_in_a_parent_folder(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").touch()
    inner = tmp_path / "a"
    inner.mkdir()
    assert paths.settings_path(inner) == tmp_path / "bertmt.toml"


def test_run_folders_stand_beside_their_registry(tmp_path: Path) -> None:
    registry = tmp_path / "runs.db"
    assert paths.run_folder(registry, "r7") == tmp_path / "runs" / "r7" == paths.runs_folder(registry) / "r7"


def test_weights_go_to_the_variable_then_the_cache_folder_then_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.weights_folder() == tmp_path / ".cache" / "bertmt" / "encoders"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert paths.weights_folder() == tmp_path / "xdg" / "bertmt" / "encoders"
    monkeypatch.setenv("BERTMT_CACHE", "~/weights")
    assert paths.weights_folder() == tmp_path / "weights" / "encoders"


@pytest.mark.parametrize("ignored", ["", "relative/cache"])
def test_a_cache_variable_that_is_empty_or_relative_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignored: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", ignored)
    assert paths.weights_folder() == tmp_path / ".cache" / "bertmt" / "encoders"


def test_a_user_without_a_home_can_still_name_a_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.weights_folder() == tmp_path / "bertmt" / "encoders"


def test_asking_for_a_path_creates_nothing(tmp_path: Path) -> None:
    paths.registry_path(start=tmp_path)
    paths.run_folder(tmp_path / "runs.db", "r1")
    assert list(tmp_path.iterdir()) == []


def test_run_folders_are_those_with_an_order_and_not_of_imports_at_work(tmp_path: Path) -> None:
    registry = tmp_path / "runs.db"
    assert paths.run_folders(registry) == []
    for name in ("b", "a", ".import-1"):
        paths.run_folder(registry, name).mkdir(parents=True)
        (paths.run_folder(registry, name) / "run.json").touch()
    (tmp_path / "runs" / "stray").mkdir()
    (tmp_path / "runs" / "run.json").touch()
    assert [path.name for path in paths.run_folders(registry)] == ["a", "b"]
