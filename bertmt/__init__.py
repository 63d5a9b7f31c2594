"""An experiment manager for multitask BERT, after Lee, Hsu and Kaur (CS224N 2024)."""

from typing import TYPE_CHECKING, Any

from bertmt.version import __version__

if TYPE_CHECKING:
    from bertmt.api import open_registry as open  # noqa: A004 - as `gzip.open` is

__all__ = ["__version__", "open"]


def __getattr__(name: str) -> Any:
    """`bertmt.open`, imported only when it is asked for: every command imports this package, and needs none of it."""
    if name == "open":
        from bertmt.api import open_registry  # noqa: PLC0415

        return open_registry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
