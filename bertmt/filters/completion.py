"""What may follow in a query that is being typed: names of fields and their values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bertmt.filters.fields import ALIASES, LIST_FIELDS, RECIPE_PREFIX, RUN_FIELDS, find_fields
from bertmt.filters.terms import NUMERIC_KINDS

FIRST = ("state", "tag", "preset", "name", "seed", "overall")  # what people filter by most
_HEAD = re.compile(r"""([^\s:=!<>,|"']+)(!=|>=|<=|[:=<>])""")
_NAME = re.compile(r"""[^\s:=!<>,|"']*""")
_BARE = re.compile(r"""[^\s,|"'][^\s,|]*""")  # a value that needs no quotes


@dataclass(frozen=True)
class Begun:
    """The word before the cursor.

    Attributes:
        start: its first character; where quotes stand before it, theirs.
        text: what is typed of it, without quotes.
        field: whose value it is; "" where it may become the name of one.
    """

    start: int
    text: str
    field: str = ""


def begun_at(text: str, position: int, fields: Mapping[str, str]) -> Begun | None:
    """The word that ends at a position of a query; None where nothing can be said of it.

    Args:
        fields: the known fields and their kinds.
    """
    start, quote, first_of_value = 0, "", 0
    for place, letter in enumerate(text[:position]):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter.isspace() or letter == "|":
            start = first_of_value = place + 1
        elif letter == ",":
            first_of_value = place + 1
    start += text[start:position].startswith("-")
    head = _HEAD.match(text, start, position)
    if head is None:
        word = text[start:position]
        return Begun(start, word) if _NAME.fullmatch(word) else None
    found = find_fields(head.group(1), fields)
    begin = max(first_of_value, head.end())
    value = text[begin:position]
    is_closed = len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]
    return Begun(begin, value.strip("\"'"), found[0]) if len(found) == 1 and not is_closed else None


def field_words(begun: str, fields: Mapping[str, str], tasks: Iterable[str] = ()) -> list[str]:
    """The names that a word may become, each with the operator that goes with it; those that begin so first.

    Args:
        tasks: whose scores stand right behind the names that people use most.
    """
    aliases = [name for name, meant in ALIASES.items() if meant in fields and name not in ("notes",)]
    own = [*FIRST, *tasks, *RUN_FIELDS, *aliases, *LIST_FIELDS]
    settings = [name for name in fields if not name.startswith(RECIPE_PREFIX)]
    names = [name for name in dict.fromkeys([*own, *settings]) if find_fields(name, fields)]
    hidden = {"tags"} if not begun.startswith("tags") else set()
    wanted = begun.casefold()
    beginning = [name for name in names if name.startswith(wanted) and name not in hidden]
    inside = [name for name in names if wanted in name and name not in (*beginning, *hidden)]
    return [name + _operator(name, fields) for name in [*beginning, *inside]]


def value_words(begun: str, known: Sequence[str]) -> list[str]:
    """The known values that a word may become, as a query has them; those that begin so first."""
    wanted = begun.casefold()
    beginning = [value for value in known if value.casefold().startswith(wanted)]
    inside = [value for value in known if wanted in value.casefold() and value not in beginning]
    words = [quoted for value in [*beginning, *inside] if (quoted := _quoted(value))]
    return [] if words == [begun] else words


def _operator(name: str, fields: Mapping[str, str]) -> str:
    kind = fields[find_fields(name, fields)[0]]
    return ">" if kind in NUMERIC_KINDS and name != "seed" else ":"


def _quoted(value: str) -> str:
    """A value as a query has it; "" where it cannot be typed."""
    if _BARE.fullmatch(value) and value.casefold() != "none":
        return value
    for quote in "\"'":
        if value and quote not in value:
            return f"{quote}{value}{quote}"
    return ""
