"""What a recipe may hold: one sentence per problem, one per setting that has nothing to do."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from bertmt.errors import RecipeError
from bertmt.recipe.encoders import KNOWN_ENCODERS, default_learning_rate
from bertmt.recipe.recipe import SETTINGS, TASK_NAMES, Recipe
from bertmt.recipe.settings import Kind, Setting

TRUE_WORDS = ("true", "on", "yes", "1")
FALSE_WORDS = ("false", "off", "no", "0")
LONGEST_SHOWN = 80  # characters of a name or a value that a message quotes


def recipe_from(values: Mapping[str, Any], base: Recipe | None = None) -> Recipe:
    """A valid recipe from dotted names and raw values (text from `--set`, or TOML values).

    Raises:
        RecipeError: with every problem at once: unknown names, values out of bounds, impossible combinations.
    """
    recipe, problems, _ = read_recipe(values, base)
    if problems:
        raise RecipeError(problems)
    return recipe


def read_recipe(values: Mapping[str, Any], base: Recipe | None = None) -> tuple[Recipe, list[str], set[str]]:
    """The recipe as far as it can be read, what is wrong with it, and the settings that could not be read."""
    parsed, problems = read_values(values)
    unread = {name for name in values if name in SETTINGS and name not in parsed}
    recipe = (base or Recipe()).with_values(parsed)
    # A conflict with a setting that could not be read would be one with its default: no news.
    problems += [each for each in conflicts(recipe) if not any(f"`{name}`" in each for name in unread)]
    return recipe, problems, unread


def read_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values of a recipe that can be read, each by itself, and a sentence for every other."""
    problems: list[str] = []
    parsed: dict[str, Any] = {}
    for name, raw in values.items():
        if name not in SETTINGS:
            problems.append(unknown_name(str(name)))
            continue
        try:
            parsed[name] = parse_value(SETTINGS[name], raw)
        except ValueError as problem:
            problems.append(str(problem))
    return parsed, problems


def unknown_name(name: str) -> str:
    """The sentence for a name that is no setting, with the nearest one that is."""
    leaves = {known.rpartition(".")[2]: known for known in SETTINGS}
    near = get_close_matches(name, SETTINGS, n=1, cutoff=0.5)
    near = near or [leaves[leaf] for leaf in get_close_matches(name, leaves, n=1, cutoff=0.6)]
    hint = f"did you mean `{near[0]}`?" if near else "`bertmt recipe --keys` lists them all."
    quoted = f"`{name}`" if name.isprintable() and len(name) <= LONGEST_SHOWN else shown(name)
    return f"{quoted} is not a setting; {hint}"


def parse_value(setting: Setting, raw: Any) -> Any:
    """`raw` as the setting's type, within its bounds.

    Raises:
        ValueError: a sentence with what was expected and what was found.
    """
    if setting.optional and (raw is None or (isinstance(raw, str) and raw.strip().lower() in ("", "none", "default"))):
        return None
    readers: dict[Kind, Callable[[Setting, Any], Any]]
    readers = {"bool": _read_bool, "int": _read_int, "float": _read_float, "str": _read_text, "list": _read_list}
    value = readers[setting.kind](setting, raw)
    if setting.choices:
        for word in value if setting.kind == "list" else [value]:
            _check_choice(setting, word)
    elif setting.kind in ("int", "float"):
        _check_bounds(setting, value)
    return value


def _expected(setting: Setting, what: str, raw: Any) -> ValueError:
    return ValueError(f"`{setting.name}` must be {what}, but is {shown(raw)}.")


def shown(raw: Any) -> str:
    """A raw value as a message quotes it: on one line, not endless."""
    try:
        text = repr(raw)
    except (ValueError, RecursionError):  # an int of more digits than Python prints
        return "too large to show"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "…"


def _read_bool(setting: Setting, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else raw
    if word in (*TRUE_WORDS, 1):
        return True
    if word in (*FALSE_WORDS, 0):
        return False
    raise _expected(setting, "true or false", raw)


def _read_int(setting: Setting, raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise _expected(setting, "a whole number", raw)
    try:
        # `int` first: a float holds whole numbers only up to 2**53. Then 1e3 and 8.0, which are whole too.
        number = _int_of(raw)
    except (ValueError, OverflowError):
        raise _expected(setting, "a whole number", raw) from None
    if abs(number) >= 2**63:  # what TOML, SQLite and numpy hold
        raise _expected(setting, "a whole number of at most 19 digits", raw)
    return number


def _int_of(raw: int | float | str) -> int:
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str):
        try:
            return int(raw)
        except ValueError:
            raw = float(raw)
    if not raw.is_integer():
        raise ValueError
    return int(raw)


def _read_float(setting: Setting, raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise _expected(setting, "a number", raw)
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise _expected(setting, "a number", raw) from None
    if not math.isfinite(number):
        raise _expected(setting, "a finite number", raw)
    return number


def _read_text(setting: Setting, raw: Any) -> str:
    if not isinstance(raw, str):
        raise _expected(setting, "text", raw)
    if "\0" in raw:
        raise _expected(setting, "text without a NUL character", raw)
    if any("\ud800" <= character <= "\udfff" for character in raw):  # half a character, or a path that is no UTF-8
        raise _expected(setting, "text in UTF-8", raw)
    return raw.strip()


def _read_list(setting: Setting, raw: Any) -> tuple[str, ...]:
    words = raw.replace("[", "").replace("]", "").replace('"', "").split(",") if isinstance(raw, str) else raw
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise _expected(setting, "a list such as sst,para", raw)
    names = {word.strip().lower() for word in words if word.strip()}
    if not names:
        raise _expected(setting, f"at least one of {', '.join(setting.choices)}", raw)
    known = [choice for choice in setting.choices if choice in names]
    return (*known, *sorted(names - set(known)))


def _check_choice(setting: Setting, word: str) -> None:
    if word in setting.choices:
        return
    near = get_close_matches(word, setting.choices, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    raise ValueError(f"`{setting.name}` must be one of {', '.join(setting.choices)}, but is {shown(word)}.{hint}")


def _check_bounds(setting: Setting, value: float) -> None:
    if setting.above is not None and value <= setting.above:
        raise _expected(setting, f"above {setting.above:g}", value)
    if setting.minimum is not None and value < setting.minimum:
        raise _expected(setting, f"at least {setting.minimum:g}", value)
    if setting.maximum is not None and value > setting.maximum:
        raise _expected(setting, f"at most {setting.maximum:g}", value)


def conflicts(recipe: Recipe) -> list[str]:
    """Combinations that cannot work, each as a sentence with the way out."""
    found = []
    needs = {"pearson": "sts", "mnr": "sts", "cosine_embedding": "sts", "super_concat": "para", "extra_data": "para"}
    for toggle, task in needs.items():
        if recipe.value(toggle) and task not in recipe.tasks:
            found.append(
                f"`{toggle}` needs the task {task}, but `tasks` is {','.join(recipe.tasks)}: "
                f"add {task} to tasks, or set {toggle}=false."
            )
    if recipe.pearson and recipe.batch_size < 3:
        found.append(f"`pearson` needs a `batch_size` of at least 3, but it is {recipe.batch_size}.")
    if recipe.mnr and recipe.batch_size < 2:
        found.append(f"`mnr` needs a `batch_size` of at least 2, but it is {recipe.batch_size}.")
    if recipe.cosine_embedding and recipe.cosine_negative > recipe.cosine_positive:
        found.append(
            f"`cosine_negative` ({recipe.cosine_negative:g}) must not lie above "
            f"`cosine_positive` ({recipe.cosine_positive:g})."
        )
    if not recipe.lora.rank and recipe.lora != type(recipe.lora)():
        found.append("`lora.alpha`, `lora.rslora`, `lora.targets` and `lora.dropout` need a `lora.rank` above 0.")
    return found


def remarks(recipe: Recipe) -> list[str]:
    """Settings that are legal and have nothing to do, or a surprising effect; one sentence each."""
    said = []
    if recipe.surgery and recipe.schedule == "alternate":
        said.append("Gradient surgery is ignored with schedule=alternate: no two tasks share a step.")
    elif recipe.surgery and len(recipe.tasks) == 1:
        said.append("Gradient surgery is ignored with one task.")
    elif recipe.surgery and recipe.ensembling:
        said.append("Gradient surgery is ignored with ensembling: no parameter is shared.")
    if recipe.ensembling and len(recipe.tasks) == 1:
        said.append("Ensembling changes nothing with one task: the model is the same, byte for byte.")
    for name, reason in recipe.idle().items():
        if recipe.value(name) != SETTINGS[name].default:
            said.append(f"`{name}` is ignored: {reason}.")
    known = KNOWN_ENCODERS.get(recipe.encoder)
    if known and recipe.lora.rank > known.hidden_size:
        said.append(
            f"lora.rank={recipe.lora.rank} is more than the encoder {known.name} is wide ({known.hidden_size}): "
            f"it can learn whatever full fine-tuning can, and saves nothing."
        )
    elif known and recipe.lora.rank * 4 > known.hidden_size:
        share = 2 * recipe.lora.rank / known.hidden_size
        said.append(
            f"lora.rank={recipe.lora.rank} holds {share:.0%} of the {known.hidden_size}×{known.hidden_size} "
            f"matrices it replaces: little is saved."
        )
    return said


def resolved(recipe: Recipe) -> Recipe:
    """The recipe with every optional setting filled, as it is stored with a run."""
    rate = recipe.learning_rate or default_learning_rate(recipe.encoder)
    lora = recipe.lora
    if lora.rank and lora.alpha is None:
        lora = dataclasses.replace(lora, alpha=float(lora.rank))
    return dataclasses.replace(
        recipe, learning_rate=rate, head_learning_rate=recipe.head_learning_rate or rate, lora=lora
    )


def unresolved(recipe: Recipe) -> Recipe:
    """The recipe with every optional setting left out that resolving would fill with the same value.

    What is then changed in it (a rank, an encoder, a learning rate) is followed by what followed it before:
    `resolved(recipe_from(values, base=unresolved(stored)))`.
    """
    lora, rate = recipe.lora, recipe.learning_rate
    if lora.alpha == lora.rank:
        lora = dataclasses.replace(lora, alpha=None)
    return dataclasses.replace(
        recipe,
        lora=lora,
        head_learning_rate=None if recipe.head_learning_rate == rate else recipe.head_learning_rate,
        learning_rate=None if rate == default_learning_rate(recipe.encoder) else rate,
    )


def untrained_tasks(recipe: Recipe) -> tuple[str, ...]:
    """The tasks that this recipe leaves out."""
    return tuple(task for task in TASK_NAMES if task not in recipe.tasks)
