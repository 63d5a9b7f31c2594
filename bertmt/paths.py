"""Where everything lies on disk, as functions; nothing here creates a file."""

import os
import re
from pathlib import Path

REGISTRY_NAME = "runs.db"
RUN_ORDER = "run.json"  # what a child must know; a folder without it is no run's
SETTINGS_NAME = "bertmt.toml"
REGISTRY_VARIABLE = "BERTMT_DB"
CACHE_VARIABLE = "BERTMT_CACHE"
_RUN_ID = re.compile(r"[a-z][a-z0-9]{5}")


def registry_path(given: str | Path | None = None, start: Path | None = None) -> Path:
    """The registry to use: `--db`, then BERTMT_DB, then the nearest `runs.db` here or above, else `./runs.db`."""
    named = given or os.environ.get(REGISTRY_VARIABLE)
    if named:
        return expanded(named).absolute()
    here = (start or Path.cwd()).absolute()
    return nearest(REGISTRY_NAME, here) or here / REGISTRY_NAME


def expanded(named: str | Path) -> Path:
    """A path as a person writes it, `~` at its head read as the shell reads it: as it stands where nobody is called so.

    Who then looks there says that nothing is there, and where.
    """
    try:
        return Path(named).expanduser()
    except RuntimeError:
        return Path(named)


def settings_path(start: Path | None = None) -> Path | None:
    """The nearest `bertmt.toml` here or in a parent folder, or None."""
    return nearest(SETTINGS_NAME, (start or Path.cwd()).absolute())


def nearest(name: str, start: Path) -> Path | None:
    """The file `name` in `start` or in the closest of its parents that has one."""
    return next((folder / name for folder in (start, *start.parents) if (folder / name).is_file()), None)


def runs_folder(registry: Path) -> Path:
    """Run folders stand beside their registry."""
    return registry.parent / "runs"


def is_run_id(text: object) -> bool:
    """Whether a text can be a run's id, and so the name of a folder."""
    return isinstance(text, str) and _RUN_ID.fullmatch(text) is not None


def run_folder(registry: Path, run_id: str) -> Path:
    """The folder of one run."""
    return runs_folder(registry) / run_id


def run_folders(registry: Path) -> list[Path]:
    """The folders of runs that lie beside a registry; hidden ones are imports at work.

    Raises:
        OSError: one of them, or the folder of all, cannot be read.
    """
    folder = runs_folder(registry)
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if not path.name.startswith(".") and (path / RUN_ORDER).is_file())


def backups_folder(registry: Path) -> Path:
    """Where copies of a registry lie that were made by themselves."""
    return registry.parent / "backups"


def tasks_folder(folder: Path) -> Path:
    """Where the definitions of a user's own tasks lie, beside the registry."""
    return folder / "tasks"


def presets_folder(folder: Path) -> Path:
    """Where a user's own presets lie, beside the registry."""
    return folder / "presets"


def weights_folder() -> Path:
    """Where `bertmt fetch` stores encoders."""
    return cache_folder() / "encoders"


def tokens_folder() -> Path:
    """Where training keeps token ids for later runs."""
    return cache_folder() / "tokens"


def cache_folder() -> Path:
    """What can be had again: BERTMT_CACHE, else the user's cache folder."""
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return expanded(own).absolute()
    shared = os.environ.get("XDG_CACHE_HOME")  # the specification ignores an empty or a relative one
    base = Path(shared) if shared and Path(shared).is_absolute() else Path.home() / ".cache"
    return base / "bertmt"


def user_folder() -> Path:
    """Where a user's own choices for the dashboard lie: XDG_CONFIG_HOME, else ~/.config."""
    shared = os.environ.get("XDG_CONFIG_HOME")  # the specification ignores an empty or a relative one
    base = Path(shared) if shared and Path(shared).is_absolute() else Path.home() / ".config"
    return base / "bertmt"


def state_folder() -> Path:
    """Where what bertmt itself keeps of a user lies, besides registries: XDG_STATE_HOME, else ~/.local/state."""
    own = os.environ.get("XDG_STATE_HOME")  # the specification ignores an empty or a relative one
    base = Path(own) if own and Path(own).is_absolute() else Path.home() / ".local" / "state"
    return base / "bertmt"


def dashboard_settings() -> Path:
    """Theme, columns and saved views of `bertmt-tui`."""
    return user_folder() / "dashboard.toml"


def keymap() -> Path:
    """Keys of `bertmt-tui` that a user changed."""
    return user_folder() / "keys.toml"
