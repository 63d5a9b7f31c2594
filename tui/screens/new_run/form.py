"""The content of the form for new runs: a recipe to start from, what was typed over it, and how to queue it."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from bertmt.drawing.numbers import counted
from bertmt.errors import BertmtError, RecipeError, UsageError
from bertmt.recipe.loading import parse_sweeps
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import parse_value, recipe_from, resolved
from bertmt.recipe.settings import Role, Setting
from bertmt.registry.records import Run
from bertmt.services.lifecycle.reordering import HIGHEST_PRIORITY
from bertmt.services.names import check_tag
from bertmt.services.plan.embedded import EMBEDDED
from bertmt.services.plan.submit import Request
from bertmt.services.start_times import parse_start
from tui.bindings import bound
from tui.widgets.fields import Field, FieldKind, field_of, next_choice

SOURCE, DONE = "source", "done"
MOST_SEEDS = 1000
METHOD, CONSTANTS, SCALE, RUNTIME = "method", "constants of the method", "scale", "runtime"
RESILIENCE, QUEUEING = "resilience", "queueing"
_SECTIONS = {Role.SCALE: SCALE, Role.RUNTIME: RUNTIME, Role.RESILIENCE: RESILIENCE}
_CONSTANTS = (
    "cosent_scale", "mnr_scale", "mnr_threshold", "cosine_positive", "cosine_negative", "pretraining_epochs",
    "pretraining_order", "head_dropout", "head_output_dropout", "lora.alpha", "lora.rslora", "lora.targets",
    "lora.dropout",
)  # fmt: skip


_EMPTY = {"bool": False, "int": 0}
ANYWHERE = "any"


def _asked(name: str, kind: Any, meaning: str, **bounds: Any) -> Setting:
    declared = {"default": _EMPTY.get(kind, ""), **bounds}
    return Setting(name=name, kind=kind, role=Role.RUNTIME, help=meaning, **declared)


# What is asked besides the recipe's own settings.
ASKED = {
    each.name: each
    for each in (
        _asked("seeds", "str", "one run per seed, such as 0,1,2 or 0-4; empty: the recipe's own"),
        _asked("sweep", "str", "one run per value, such as lora.rank=20,100; several separated by spaces"),
        _asked("name", "str", "of the runs; empty: the preset's"),
        _asked("note", "str", "what you want to find out"),
        _asked("tags", "str", "words separated by spaces"),
        _asked("hold", "bool", "do not start until released"),
        _asked("first", "bool", "at the front of the queue"),
        _asked(
            "priority",
            "int",
            "higher priorities start first; 0 is normal",
            minimum=-HIGHEST_PRIORITY,
            maximum=HIGHEST_PRIORITY,
        ),
        _asked("after", "str", "start after these runs have ended: ids or names, separated by spaces"),
        _asked("after_ok", "str", "start after these runs have finished: ids or names, separated by spaces"),
        _asked("start", "str", "start no earlier than 22:00, 2026-11-25 08:00 or +2h30m; empty: at once"),
        _asked("device", "str", "the kind of device to run on", default=ANYWHERE, choices=(ANYWHERE, "cpu", "gpu")),
        _asked("checkpoint_dir", "str", "a folder for checkpoints, which are large; empty: the run folder"),
    )
}
FIRST_ASKED = ("seeds", "sweep", "name")
LAST_ASKED = (
    "note", "tags", "hold", "first", "priority", "after", "after_ok", "start", "device", "checkpoint_dir",
)  # fmt: skip


@dataclass(frozen=True)
class NewRunForm:
    """The form; what is typed into it makes another one.

    Attributes:
        base: what is left open in it follows what is typed.
        preset: whose recipe `base` is, over the user's defaults; None where it is a run's.
        summary: what the preset is, one line.
        run: whose recipe `base` is.
        edits: the run itself is changed, and nothing queued.
        typed: name to text, where it differs from what the form began with.
    """

    base: Recipe = field(default_factory=Recipe)
    preset: str | None = None
    summary: str = ""
    run: Run | None = None
    edits: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)

    def setting(self, name: str) -> Setting:
        """What may stand in a line; of the tasks, any that is known."""
        if name in ASKED:
            return ASKED[name]
        found = SETTINGS[name]
        return replace(found, choices=tuple(self.base.known)) if name == "tasks" else found

    def value(self, name: str) -> Any:
        """The value of a line, as a recipe holds it."""
        if name in self.typed:
            return parse_value(self.setting(name), self.typed[name])
        return self._former(name)

    def _former(self, name: str) -> Any:
        return self.base.value(name) if name in SETTINGS else ASKED[name].default

    def check(self, name: str, text: str) -> str | None:
        """What is wrong with a text for a line, a sentence; None where nothing is."""
        try:
            value = parse_value(self.setting(name), text)
            if name == "seeds":
                parse_seeds(value)
            elif name == "sweep":
                parse_sweeps(split_sweeps(value))
            elif name == "tags":
                for word in _words(value):
                    check_tag(word)
            elif name == "start":
                parse_start_line(value)
        except (ValueError, BertmtError) as problem:
            return str(problem)
        return None

    def with_value(self, name: str, text: str) -> "NewRunForm":
        """The form with a text in a line.

        Raises:
            UsageError: it cannot stand there.
        """
        problem = self.check(name, text)
        if problem is not None:
            raise UsageError(problem)
        kept = {key: each for key, each in self.typed.items() if key != name}
        if parse_value(self.setting(name), text) != self._former(name):
            kept[name] = text.strip()
        return replace(self, typed=kept)

    def with_next(self, name: str, places: int = 1) -> "NewRunForm":
        """The form with a switch turned, or the next of a few choices taken."""
        return self.with_value(name, next_choice(self.setting(name), self.value(name), places))

    def without(self, name: str) -> "NewRunForm":
        """The form with a line as it began."""
        return replace(self, typed={key: each for key, each in self.typed.items() if key != name})

    def with_values(self, values: Mapping[str, Any]) -> "NewRunForm":
        """The form with several lines filled, as if they had been typed."""
        form = self
        for name, value in values.items():
            form = form.with_value(name, str(value))
        return form

    def with_toy(self) -> "NewRunForm":
        """The form with the embedded data and the encoder that needs no download, at a scale that suits them."""
        return self.with_values(EMBEDDED)

    def with_source(self, base: Recipe, preset_name: str | None, run: Run | None, summary: str = "") -> "NewRunForm":
        """The form over another recipe; what was typed stays, unless it names a task that this one does not know."""
        form = replace(self, base=base, preset=preset_name, summary=summary, run=run, typed={})
        for name, text in self.typed.items():
            if form.check(name, text) is None:
                form = form.with_value(name, text)
        return form

    def recipe(self) -> Recipe:
        """The resolved recipe of the first run, sweeps left aside.

        Raises:
            RecipeError: with every problem at once.
        """
        return resolved(recipe_from(self.settings(), self.base))

    def settings(self) -> dict[str, str]:
        """What was typed of the recipe."""
        return {name: text for name, text in self.typed.items() if name in SETTINGS}

    def problems(self) -> tuple[str, ...]:
        """Why the recipe cannot be, a sentence each."""
        try:
            self.recipe()
        except RecipeError as problem:
            return problem.problems
        return ()

    def run_count(self) -> int:
        """How many runs it makes."""
        return max(len(parse_seeds(self.value("seeds"))), 1) * len(parse_sweeps(split_sweeps(self.value("sweep"))))

    def request(self) -> Request:
        """What is asked to be queued, but for the runs that `awaited` names: the registry knows these.

        Raises:
            UsageError: the time to start lies in the past meanwhile.
        """
        return Request(
            preset=self.preset,
            from_run=self.run,
            values=self.settings(),
            sweeps=split_sweeps(self.value("sweep")),
            seeds=parse_seeds(self.value("seeds")),
            name=self.value("name") or None,
            note=self.value("note"),
            tags=_words(self.value("tags")),
            hold=self.value("hold"),
            first=self.value("first"),
            priority=self.value("priority"),
            not_before_at=parse_start_line(self.value("start")),
            wants="" if self.value("device") == ANYWHERE else self.value("device"),
            checkpoint_dir=self.value("checkpoint_dir"),
        )

    def awaited(self) -> list[tuple[str, bool]]:
        """Words for the runs that the new ones wait for, and whether these must have finished."""
        words = [(word, False) for word in _words(self.value("after"))]
        return words + [(word, True) for word in _words(self.value("after_ok"))]

    def fields(self, folded: Set[str] = frozenset()) -> list[Field]:
        """The lines, top to bottom.

        Args:
            folded: titles of sections whose lines are left out.
        """
        try:
            recipe = self.recipe()
        except RecipeError:
            recipe = resolved(self.base)
        idle = recipe.idle()
        found = [] if self.edits else [self.source(), *(self._field(name, recipe, idle) for name in FIRST_ASKED)]
        for title, names in self._sections(recipe).items():
            found.append(self._section(title, names, title in folded))
            if title not in folded:
                found += [self._field(name, recipe, idle) for name in names]
        return [*found, self._done()]

    def _sections(self, recipe: Recipe) -> dict[str, list[str]]:
        """The settings by section, those of the heads of the chosen tasks among them."""
        sections: dict[str, list[str]] = {METHOD: [], CONSTANTS: [], SCALE: [], RUNTIME: [], RESILIENCE: []}
        for name, setting in recipe.settings().items():
            if name == "members" and not recipe.members:  # only averages have some
                continue
            if setting.role is Role.TOGGLE:
                sections[CONSTANTS if name in _CONSTANTS else METHOD].append(name)
            elif name != "seed" or self.edits:  # there is a line for all seeds
                sections[_SECTIONS[setting.role]].append(name)
        return sections if self.edits else {**sections, QUEUEING: list(LAST_ASKED)}

    def _field(self, name: str, recipe: Recipe, idle: Mapping[str, str]) -> Field:
        left_open = recipe.effective(name) if name in SETTINGS else None
        found = field_of(self.setting(name), self.value(name), name in self.typed, left_open, idle.get(name, ""))
        if name in ("seeds", "name") and not found.text:
            own = str(self.base.seed) if name == "seeds" else self.run.name if self.run else self.preset or ""
            return replace(found, shown=own)
        return found

    def source(self) -> Field:
        """The line of what the form began with."""
        shown = f"copy of {self.run.id}" if self.run else self.preset or ""
        meaning = f"{self.run.name}, seed {self.run.seed}" if self.run else self.summary
        return Field(
            SOURCE, "from", FieldKind.OPENS, shown=shown, text=shown, meaning=meaning,
            expected="Enter chooses another preset",
        )  # fmt: skip

    def _section(self, title: str, names: list[str], is_folded: bool) -> Field:
        changed = sum(name in self.typed for name in names)
        said = counted(len(names), "setting") if is_folded else ""
        said += f"{', ' if said else ''}{changed} changed" if changed else ""
        sign = "▸" if is_folded else "▾"
        meaning = "Enter folds and unfolds these lines."
        return Field(title, f"{sign} {title}", FieldKind.SECTION, shown=said, meaning=meaning)

    def _done(self) -> Field:
        if self.edits and self.run is not None:
            return Field(DONE, f"▸ Change {self.run.id}", FieldKind.DONE, meaning="Enter changes the waiting run.")
        title = f"▸ Queue {counted(self.run_count(), 'run')}"
        return Field(DONE, title, FieldKind.DONE, meaning=f"Enter queues; so does {bound('new.queue')} from any line.")


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from "0,1,2", "0-4" or both; none from an empty text.

    Raises:
        UsageError: it is something else, or too many.
    """
    seeds: dict[int, None] = {}
    for word in _words(text):
        found = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", word)
        if found is None:
            raise UsageError(f"`seeds` are whole numbers such as 0,1,2 or 0-4, but found {word!r}.")
        low, high = int(found[1]), int(found[2] or found[1])
        if high < low or high - low >= MOST_SEEDS:
            raise UsageError(f"`seeds` such as 0-4 ascend, at most {MOST_SEEDS:,} of them, but found {word!r}.")
        for seed in range(low, high + 1):
            seeds[parse_value(SETTINGS["seed"], seed)] = None
    return tuple(seeds)


def parse_start_line(text: str) -> str | None:
    """A time in UTC; None from an empty text.

    Raises:
        UsageError: it is none, or lies in the past.
    """
    if not text.strip():
        return None
    try:
        return parse_start(text)
    except UsageError as problem:
        raise UsageError(str(problem).replace("--start", "`start`")) from None


def split_sweeps(text: str) -> tuple[str, ...]:
    """The sweeps of one line: "lora.rank=20,100 epochs=1,2" are two."""
    return tuple(each for each in re.split(r"[\s;]+(?=[\w.]+=)", text.strip(" ;")) if each)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())
