"""Words that a shell may offer while a command line is typed: quick, and never an error."""

from pathlib import Path

from bertmt.registry.file.quick_look import newest_names, removed_names, tags_in_use

MOST = 300


def run_words(registry: Path) -> list[str]:
    """Ids and names of the newest runs; empty where there is no registry, or one that cannot be read at once."""
    return _plain(newest_names(registry, MOST))


def removed_run_words(registry: Path) -> list[str]:
    """Ids and names of the runs that can be brought back."""
    return _plain(removed_names(registry, MOST))


def tag_words(registry: Path) -> list[str]:
    """The tags in use."""
    return _plain(tags_in_use(registry, MOST))


def _plain(words: list[str]) -> list[str]:
    """The words that a shell can take as they are, each once."""
    return list(dict.fromkeys(word for word in words if _is_plain(word)))


def _is_plain(word: str) -> bool:
    """Whether every shell takes the word as one, without quotes; a completion is no place for tricks."""
    return bool(word) and word.isascii() and all(letter.isalnum() or letter in "-_.+" for letter in word)
