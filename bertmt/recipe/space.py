"""What a search may choose from: ranges and lists of values of settings (`--over`), and recipes drawn from them."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertmt.errors import Problems, RecipeError, UsageError
from bertmt.recipe.quoting import shown
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import parse_value, unknown_name, with_present_names
from bertmt.recipe.settings import Role, Setting

BETWEEN = ".."
WIDE = 10 * (1 - 1e-9)  # a range of positive numbers is drawn by their logarithms where its ends are so far apart
DIGITS = 3  # significant ones of a drawn number, so that people can read and type it
MOST_DRAWS = 1000  # in a row that are none, before a space counts as used up
# Scores of recipes that differ in these are not of the same thing.
_NEVER = {
    "seed": "the best of several seeds is luck, not a better recipe",
    "data": "scores on other data are not comparable",
    "tasks": "scores of other tasks are not comparable",
    "evaluate_examples": "scores on other dev examples are not comparable",
}


@dataclass(frozen=True)
class Axis:
    """The values of one setting.

    Attributes:
        values: to choose from; empty: any from `low` to `high`.
        is_log: their logarithms are drawn.
    """

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether a range is of whole numbers."""
        return SETTINGS[self.name].kind == "int"

    @property
    def size(self) -> float:
        """How many values there are."""
        if self.values:
            return len(self.values)
        return self.high - self.low + 1 if self.is_whole else float("inf")

    def at(self, share: float) -> Any:
        """The value so far up it, or in the list: a share from 0 to 1."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        low, high = self.low, self.high
        if self.is_whole:  # the last one has as much room as the others
            high += 1
        if self.is_log:
            number = math.exp((1 - share) * math.log(low) + share * math.log(high))
        else:
            number = (1 - share) * low + share * high  # whose ends may lie farther apart than numbers go
        if self.is_whole:
            return min(int(number), int(self.high))
        return min(max(float(f"{number:.{DIGITS}g}"), self.low), self.high)


def parse_space(texts: Sequence[str]) -> tuple[Axis, ...]:
    """`--over` arguments, in their order.

    Raises:
        UsageError: one is neither a range nor a list of values, or there is none.
        RecipeError: one names no setting, a value of it is none, or several problems.
    """
    if not texts:
        raise UsageError("A search needs something to search over: --over learning_rate=1e-5..1e-4, or KEY=A,B,C.")
    problems = Problems()
    axes = [axis for axis in (problems.attempt(_axis, text) for text in texts) if axis]
    names = [axis.name for axis in axes]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        problems.add(UsageError(f"--over {name} is given twice: write all its values once."))
    problems.raise_all()
    return tuple(axes)


def _axis(text: str) -> Axis:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name or not value:
        raise UsageError(
            f"--over expects KEY=LOW..HIGH or KEY=A,B,C, for example r_drop=0,1,2, but found {shown(text)}."
        )
    [name] = with_present_names({name: ""})
    if name not in SETTINGS:
        raise RecipeError([unknown_name(name)])
    setting = SETTINGS[name]
    if name in _NEVER:
        raise UsageError(f"--over {name} cannot be searched: {_NEVER[name]}.")
    if setting.role in (Role.RUNTIME, Role.RESILIENCE) and name != "precision":
        raise UsageError(f"--over {name} cannot be searched: it changes no score.")
    is_free_text = setting.kind == "texts" or (setting.kind == "str" and not setting.choices)  # paths have .. too
    return _range(setting, value) if BETWEEN in value and not is_free_text else _choices(setting, value)


def _range(setting: Setting, value: str) -> Axis:
    name = setting.name
    if setting.kind not in ("int", "float"):
        example = "true,false" if setting.kind == "bool" else ",".join(setting.choices[:2]) or "A,B"
        raise UsageError(f"--over {name} has no numbers to take a range of: list its values, as in {name}={example}.")
    words = [word.strip() for word in value.split(BETWEEN)]
    ends = [_parsed(setting, word) for word in words if word]
    if len(words) != 2 or len(ends) != 2 or None in ends:
        raise UsageError(f"--over {name} expects a range LOW..HIGH, for example 1e-5..1e-4, but found {shown(value)}.")
    low, high = ends
    if low >= high:
        raise UsageError(f"--over {name}={low:g}..{high:g} is empty: write the lower end first.")
    is_log = low > 0 and (high >= WIDE * low or name.endswith("learning_rate"))
    return Axis(name, low=low, high=high, is_log=is_log)


def _choices(setting: Setting, value: str) -> Axis:
    words = [word.strip() for word in value.split(",") if word.strip()]
    if setting.kind in ("list", "texts"):  # a comma separates values, so members are joined by +
        words = [word.replace("+", ",") for word in words]
    values = tuple(dict.fromkeys(_parsed(setting, word) for word in words))
    if len(values) < 2:
        raise UsageError(
            f"--over {setting.name} leaves nothing to choose from {shown(value)}: use --set for one value."
        )
    return Axis(setting.name, values=values)


def _parsed(setting: Setting, word: str) -> Any:
    try:
        return parse_value(setting, word)
    except ValueError as problem:
        raise RecipeError([str(problem)]) from None


def size_of(space: Sequence[Axis]) -> float:
    """How many recipes a space has."""
    found = 1.0
    for axis in space:
        found *= axis.size
    return found


def draws(space: Sequence[Axis], seed: int) -> Iterator[dict[str, Any]]:
    """Settings drawn from a space, each once, always in the same order for a seed; ends where nothing new comes.

    They are spread evenly, since independent draws leave gaps: of nine, one setting's are often all on one side.
    Source: the scrambled Halton sequence, Owen 2017, "A randomized Halton algorithm in R" (arXiv:1706.02808), with one
    permutation of digits per setting, and a random shift.
    """
    source = random.Random(f"{seed}/search")
    spreads = [_Spread(base, source) for base in _primes(len(space))]
    known: set[tuple[Any, ...]] = set()
    repeated = 0
    for index in itertools.count():
        if repeated == MOST_DRAWS or len(known) >= size_of(space):
            return
        drawn = {axis.name: axis.at(spread.share(index)) for axis, spread in zip(space, spreads, strict=True)}
        repeated += 1
        if tuple(drawn.values()) not in known:
            known.add(tuple(drawn.values()))
            repeated = 0
            yield drawn


class _Spread:
    """Numbers from 0 to 1 of which any first few are spread evenly: digits of 1, 2, 3 … mirrored at the point."""

    def __init__(self, base: int, source: random.Random):
        self._base = base
        self._digits = [0, *source.sample(range(1, base), base - 1)]  # behind the last one all are 0
        self._shift = source.random()

    def share(self, index: int) -> float:
        found, unit = self._shift, 1.0
        number = index + 1
        while number:
            number, digit = divmod(number, self._base)
            unit /= self._base
            found += self._digits[digit] * unit
        return found % 1


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def in_words(settings: Mapping[str, Any]) -> dict[str, str]:
    """Values as `--set` takes them."""
    return {name: word_of(value) for name, value in settings.items()}


def word_of(value: Any) -> str:
    """One value as `--set` takes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
