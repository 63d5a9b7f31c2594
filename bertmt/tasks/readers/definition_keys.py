"""What the keys of a task's definition may hold, so that a wrong one is told in a sentence of ours."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from bertmt.tasks.malformed import shown


class Key(NamedTuple):
    """What a key holds.

    Attributes:
        fits: whether a value read from TOML is one.
        expected: what it must be, in words.
    """

    fits: Callable[[Any], bool]
    expected: str
    required: bool = False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in value)
    )


def _one_of(*words: str, required: bool = False) -> Key:
    return Key(lambda value: value in words, f"one of {', '.join(words)}", required)


_TEXT, _NEEDED = Key(_is_text, "a text"), Key(_is_text, "a text", True)
KEYS: Mapping[str, Key] = {
    "title": _NEEDED, "data_set": _TEXT,
    "inputs": _one_of("single", "pair", required=True),
    "classes": Key(_are_texts, 'a list of texts such as ["bad", "good"]'),
    "range": Key(_is_range, "two numbers such as [0, 5]"),
    "prediction": _one_of("logits", "cosine"),
    "metrics": Key(_are_texts, 'a list of texts such as ["accuracy"]', True),
    "source": Key(lambda value: isinstance(value, dict), "a table, [source]"),
}  # fmt: skip
SOURCE_KEYS: Mapping[str, Key] = {
    "train": _NEEDED, "dev": _NEEDED, "test": _TEXT, "text": _NEEDED, "pair": _TEXT, "label": _NEEDED, "hub": _TEXT,
    "sha256": Key(_are_texts, "a list of texts"),
}  # fmt: skip
BUILT_IN_ALONE = ("course", "grammar", "extra_pairs")
LONGEST_SHOWN = 80  # characters of a value
IGNORED = ("name", *BUILT_IN_ALONE)  # the name is the file's


def key_problem(document: Mapping[str, Any]) -> str | None:
    """What is wrong with the first wrong key of a definition: what was expected, and what was found; None: nothing."""
    if any(document.get(name) for name in BUILT_IN_ALONE):
        return "`course`, `grammar` and `extra_pairs` are of built-in tasks alone: remove them"
    tables = [("", document, KEYS)]
    if isinstance(document.get("source"), dict):
        tables.append(("source.", document["source"], SOURCE_KEYS))
    for prefix, table, keys in tables:
        for name, value in table.items():
            if name not in keys and (prefix or name not in IGNORED):
                return f"{shown(prefix + name)} is no key of a task: {_instead(name, prefix, keys)}"
            if name in keys and not keys[name].fits(value):
                return f"`{prefix}{name}` must be {keys[name].expected}, but is {_shown_value(value)}"
        missing = next((name for name, key in keys.items() if key.required and name not in table), None)
        if missing:
            return f"`{prefix}{missing}` is missing; it must be {keys[missing].expected}"
    return None


def _instead(name: str, prefix: str, keys: Mapping[str, Key]) -> str:
    near = get_close_matches(name, keys, n=1)
    return f"the nearest is `{prefix}{near[0]}`" if near else f"there are {', '.join(prefix + each for each in keys)}"


def _shown_value(value: Any) -> str:
    """A value of a TOML file in a message: on one line, not endless."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return shown(value)
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # a number of more digits than Python prints
        return "too large to show"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
