"""Refusing network file systems: "WAL does not work over a network filesystem" (sqlite.org/wal.html)."""

import shlex
from pathlib import Path

from bertmt import paths
from bertmt.errors import RegistryError

NETWORK_TYPES = (
    "nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "afs", "glusterfs", "fuse.sshfs", "fuse.glusterfs",
    "orangefs",
)  # fmt: skip
MOUNTS = Path("/proc/self/mounts")


def file_system_type(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the file system that holds `folder` (Linux); None where it cannot be known."""
    target = folder.absolute()
    while not target.exists() and target != target.parent:
        target = target.parent
    target = target.resolve()
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    best: tuple[int, str] | None = None
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].encode("latin-1", "replace").decode("unicode_escape"))
        # A later mount on the same point hides the earlier one.
        if target.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):
            best = (len(point.parts), fields[2])
    return best[1] if best else None


def refuse_network_file_system(folder: Path, mounts: Path = MOUNTS) -> None:
    """Raise where a registry in `folder` could be corrupted by its file system.

    Raises:
        RegistryError: with the export that helps.
    """
    kind = file_system_type(folder, mounts)
    if _is_network(kind):
        raise RegistryError(
            f"{folder} is on a network file system ({kind}), where SQLite loses data; "
            f"keep the registry on a local disk: {_advice(mounts)}"
        )


def _is_network(kind: str | None) -> bool:
    return kind is not None and kind.startswith(NETWORK_TYPES)


def _advice(mounts: Path) -> str:
    """Never a folder that other users can prepare, as any below the temporary folder is."""
    try:
        own = paths.state_folder()
    except RuntimeError:  # without a home
        own = None
    if own is None or _is_network(file_system_type(own, mounts)):
        return f"name a file in a folder of yours there with {paths.REGISTRY_VARIABLE}."
    return f"export {paths.REGISTRY_VARIABLE}={shlex.quote(str(own / paths.REGISTRY_NAME))}"
