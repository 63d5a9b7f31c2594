"""The version, apart from the package itself, whose `open` leads to almost every module."""

__version__ = "0.1.0"
