"""Whose the registry and `bertmt.toml` are: both are found in parent folders too, where others may have put them.

It is said once of each file, and again only where something else is the matter: what was said is remembered in the
user's state folder, as an empty file per sentence.
"""

import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bertmt import atomic_files, paths
from bertmt.devices.user_names import user_name

SAID_ONCE = "Said once; `bertmt doctor` repeats it."


def new_notices(registry: str | Path | None) -> list[str]:
    """What was not said yet of the registry that is meant, and of the nearest `bertmt.toml`: a line for each.

    Args:
        registry: as `--db` names it.
    """
    return [f"{notice} {SAID_ONCE}" for notice in notices(registry) if _remember(notice)]


def notices(registry: str | Path | None) -> list[str]:
    """What is to be said of both, said before or not."""
    try:
        named = (("registry", paths.registry_path(registry)), ("file", paths.settings_path()))
    except OSError:  # the working folder is gone
        return []
    found = (foreign(what, path) for what, path in named if path is not None)
    return [notice for notice in found if notice is not None]


def foreign(what: str, path: Path) -> str | None:
    """Who besides this user and root decides what is in a file, as a sentence; None where nobody does.

    Args:
        what: the word for it.
    """
    try:
        reasons = [*_reasons("it", path)]
        # Where it is a link, both folders count.
        for folder in dict.fromkeys((path.parent.resolve(), path.resolve().parent)):
            reasons += _reasons(f"its folder {folder}", folder)
    except (OSError, ValueError, RuntimeError):  # missing, or no path at all: whoever opens it says so
        return None
    if not reasons:
        return None
    return f"The {what} {path} is not yours alone: {'; '.join(reasons)}. Use one of your own if you do not trust them."


def _reasons(what: str, path: Path) -> Iterator[str]:
    about = path.stat()
    if about.st_uid not in (os.geteuid(), 0):
        yield f"{what} belongs to {user_name(about.st_uid)}"
    if about.st_mode & stat.S_IWOTH:
        yield f"all users may write {what}"
    elif about.st_mode & stat.S_IWGRP and not _has_nobody_else(about.st_gid):
        yield f"the group {_group_name(about.st_gid)} may write {what}"


def _has_nobody_else(gid: int) -> bool:
    """Whether a group is this user's own, as Debian and Fedora give one to each; their files are open to it."""
    me = user_name(os.geteuid())
    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == me and set(group.gr_mem) <= {me}


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _remember(notice: str) -> bool:
    """Whether something was not said before; where it cannot be remembered, it was not."""
    import hashlib  # noqa: PLC0415 - nearly nobody gets here

    name = hashlib.sha256(notice.encode("utf-8", "replace")).hexdigest()[:32]
    try:
        file = paths.state_folder() / "said" / name
        if file.exists():
            return False
        atomic_files.make_folder(file.parent)
        file.touch(mode=atomic_files.PRIVATE_FILE)
    except (OSError, RuntimeError):  # no home, or it cannot be written
        pass
    return True
