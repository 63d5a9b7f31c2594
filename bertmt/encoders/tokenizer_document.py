"""What a tokenizer.json may ask of the library: parts that take no more time and memory than the text that they read.

The library believes such a file: a part that it cannot make sense of makes its Rust panic, a regular expression may
look at a text for ever, and replacements may blow it up without an end.
"""

import re
from collections.abc import Iterator
from typing import Any

NORMALIZERS = (
    "BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Prepend", "Replace", "Sequence", "Strip",
    "StripAccents", "ByteLevel",
)  # fmt: skip
PRE_TOKENIZERS = (
    "BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "Metaspace", "Punctuation", "Sequence", "Split",
    "UnicodeScripts", "Whitespace", "WhitespaceSplit",
)  # fmt: skip
MOST_PARTS, MOST_PATTERN, MOST_GROWTH = 64, 1_000, 1_000
# `(a+)+`: what is repeated without an end repeats inside. Patterns without it take polynomial time, and the library
# gives up after ten million steps.
REPEATED_GROUP = re.compile(r"(?<!\\)\)\s*(?:[*+]|\{\d*,\d*\})|\\[1-9gk]")


def check_document(document: Any) -> None:
    """Return if a tokenizer.json asks for nothing that could hang or break the library.

    Raises:
        ValueError: it does; in words that end a sentence.
    """
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    growth = 1
    for kind, known in (("normalizer", NORMALIZERS), ("pre_tokenizer", PRE_TOKENIZERS)):
        for number, part in enumerate(_parts(document.get(kind))):
            if number >= MOST_PARTS:
                raise ValueError(f"its {kind} has more than {MOST_PARTS} parts")
            name = part.get("type")
            if not isinstance(name, str) or name not in known:
                raise ValueError(f"its {kind} is {ascii(name)[:40]}, which is none of {', '.join(known)}")
            _check_pattern(part.get("pattern"))
            added = part.get("content") or part.get("prepend") or part.get("replacement") or ""
            growth *= 1 + len(added) if isinstance(added, str) else 1
    if growth > MOST_GROWTH:
        raise ValueError(f"its normalizer may make a text more than {MOST_GROWTH:,} times as long")


def _parts(found: Any) -> Iterator[dict[str, Any]]:
    """A part and the parts of a sequence, in their order; nesting is as deep as the JSON reader took it."""
    waiting = [found]
    while waiting:
        part = waiting.pop()
        if part is None:
            continue
        if not isinstance(part, dict):
            raise ValueError("one of its parts is no JSON object")
        yield part
        inner = part.get("normalizers") or part.get("pretokenizers") or []
        if not isinstance(inner, list):
            raise ValueError("one of its sequences is no list")
        waiting += reversed(inner)


def _check_pattern(pattern: Any) -> None:
    text = pattern.get("Regex") if isinstance(pattern, dict) else pattern
    if isinstance(text, str) and (len(text) > MOST_PATTERN or REPEATED_GROUP.search(text)):
        raise ValueError("it has a regular expression that may take for ever (a repeated group, or a very long one)")
