"""The query language over runs: `state:running lora>0 -tag:old seed:1,2 "my run" | preset=final`.

    query       = conjunction ("|" conjunction)*
    conjunction = term*                                   all must match
    term        = ["-"] (field operator values | values)  without a field: part of name, id, preset or a tag
    operator    = ":" "=" "!=" ">" ">=" "<" "<="
    values      = value ("," value)*                      any of them
    value       = word | "quoted" | 'quoted'

Case never matters. `:` means "contains" for text and "equals" for all else. The value `none` means "empty".
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from bertmt.errors import UsageError
from bertmt.filters.fields import find_fields, nearest_field
from bertmt.filters.terms import NUMERIC_KINDS, ORDERINGS, Comparison, Filter, Term, Word

TRUE_WORDS = ("true", "on", "yes", "1")
FALSE_WORDS = ("false", "off", "no", "0")

_HEAD = re.compile(r"""([^\s:=!<>,|"']+)(!=|>=|<=|[:=<>])""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_VALUE = re.compile(r"""[^\s,|"'][^\s,|]*""")
_WORD = re.compile(r"""[^\s,|:=!<>"'][^\s,|:=!<>]*""")  # an operator in a bare word would be a typing error
_LONGEST_SHOWN = 80  # characters of a query or a word that a message quotes
_QUOTE_IT = 'quote text that holds :, =, ! < or >, as in "a:b".'


def parse_filter(text: str, fields: Mapping[str, str], choices: Mapping[str, Sequence[str]] | None = None) -> Filter:
    """The filter that a query means.

    Args:
        fields: the known fields and their kinds, as `fields.known_fields` gives them.
        choices: by field all values that there can be; one that is none of them is refused.

    Raises:
        UsageError: with the position and, for an unknown field, the nearest one there is.
    """
    return _Parser(text, fields, choices or {}).query()


@dataclass(frozen=True)
class _Value:
    """One alternative as it was written, without its quotes."""

    text: str
    quoted: bool
    position: int


class _Parser:
    """A position in the text that moves on as terms are read."""

    def __init__(self, text: str, fields: Mapping[str, str], choices: Mapping[str, Sequence[str]]):
        self.text = text
        self.fields = fields
        self.choices = choices
        self.position = 0

    def query(self) -> Filter:
        """All alternatives up to the end of the text."""
        alternatives: list[tuple[Term, ...]] = [self._conjunction()]
        while self._next() == "|":
            if not alternatives[-1]:
                raise self._error("there is nothing before `|`")
            self.position += 1
            alternatives.append(self._conjunction())
            if not alternatives[-1]:
                raise self._error("there is nothing after `|`")
        return Filter(tuple(terms for terms in alternatives if terms))

    def _conjunction(self) -> tuple[Term, ...]:
        terms: list[Term] = []
        while True:
            while self._next().isspace():
                self.position += 1
            if self._next() in ("", "|"):
                return tuple(terms)
            terms.append(self._term())

    def _term(self) -> Term:
        negated = self._next() == "-"
        self.position += negated
        head = _HEAD.match(self.text, self.position)
        if not head:
            values = self._values(_WORD, "-" if negated else "")
            return Word(tuple(value.text.casefold() for value in values), negated)
        word, sign = head.groups()
        field = self._field(word)
        kind = self.fields[field]
        if sign in ORDERINGS and kind in ("bool", "list"):
            raise self._error(f"`{word}` has no order", f"use `{word}:` or `-{word}:`.")
        self.position = head.end()
        values = self._values(_VALUE, word + sign)
        for value in values if sign in (":", "=", "!=") else ():
            self._refuse_unless_chosen(word, self.choices.get(field, ()), sign, value)
        if sign in ORDERINGS and len(values) > 1:
            raise self._error(f"`{word}{sign}` takes one value, not {len(values)}", "alternatives go with `:` or `=`.")
        return Comparison(field, kind, sign, tuple(self._typed(word, kind, sign, value) for value in values), negated)

    def _refuse_unless_chosen(self, word: str, choices: Sequence[str], sign: str, value: _Value) -> None:
        """A value that a field never has would find nothing, without a word."""
        text = value.text.casefold()
        known = [each.casefold() for each in choices]
        is_known = text in known or (sign == ":" and any(text in each for each in known))
        if not choices or is_known or (text == "none" and not value.quoted):
            return
        near = get_close_matches(text, known, n=1)
        raise self._error(
            f"`{word}` is {', '.join(choices[:-1])} or {choices[-1]}, but is compared with {_shown(value.text)!r}",
            f"did you mean `{near[0]}`?" if near else "",
            at=value.position,
        )

    def _field(self, word: str) -> str:
        found = find_fields(word, self.fields)
        if len(found) == 1:
            return found[0]
        if found:
            raise self._error(f"`{word}` may be " + " or ".join(f"`{name}`" for name in found), "write it in full.")
        near = nearest_field(word, self.fields)
        raise self._error(f"`{_shown(word)}` is not a field of a run", f"did you mean `{near}`?" if near else _QUOTE_IT)

    def _values(self, pattern: re.Pattern[str], after: str) -> list[_Value]:
        """One value or several with commas between; `pattern` is for those without quotes."""
        found: list[_Value] = []
        while True:
            quoted = self._next() in ('"', "'")
            match = (_QUOTED if quoted else pattern).match(self.text, self.position)
            if not match:
                raise self._no_value("," if found else after, quoted)
            text = next(each for each in match.groups() if each is not None) if quoted else match.group()
            found.append(_Value(text, quoted, self.position))
            self.position = match.end()
            if self._next() != ",":
                break
            self.position += 1
        if self._next() not in ("", "|") and not self._next().isspace():
            raise self._error(f"{self._next()!r} is not expected here", _QUOTE_IT)
        return found

    def _no_value(self, after: str, quoted: bool) -> UsageError:
        if quoted:
            return self._error("this quote is not closed")
        if self._next() in ("", "|") or self._next().isspace():
            return self._error(f"a value is expected after `{after}`", "for example overall>0.5 or state:running.")
        return self._error(f"a value is expected, but {self._next()!r} is found", _QUOTE_IT)

    def _typed(self, word: str, kind: str, sign: str, value: _Value) -> Any:
        """A value as the field's kind; None for the word `none`."""
        text = value.text.casefold()
        if text == "none" and not value.quoted and sign in (":", "="):
            return None
        if kind == "bool":
            if text not in TRUE_WORDS + FALSE_WORDS:
                raise self._error(
                    f"`{word}` is true or false, but is compared with {_shown(value.text)!r}", at=value.position
                )
            return text in TRUE_WORDS
        if kind not in NUMERIC_KINDS:
            return text
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            raise self._error(f"`{word}` is a number, but is compared with {_shown(value.text)!r}", at=value.position)
        return number

    def _next(self) -> str:
        """The next character, or nothing at the end."""
        return self.text[self.position : self.position + 1]

    def _error(self, problem: str, hint: str = "", at: int | None = None) -> UsageError:
        place = (self.position if at is None else at) + 1
        return UsageError(
            f"Filter {_shown(self.text)!r}, character {place}: {problem}" + (f"; {hint}" if hint else ".")
        )


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
