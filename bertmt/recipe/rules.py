"""What a recipe may hold: one sentence per problem, one per setting that has nothing to do."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from bertmt import paths
from bertmt.errors import RecipeError
from bertmt.recipe import own_code
from bertmt.recipe.encoders import KNOWN_ENCODERS, default_learning_rate
from bertmt.recipe.quoting import LONGEST_SHOWN, shown
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.settings import Kind, Setting
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.known import why_broken
from bertmt.tasks.known_sources import KNOWN_SOURCES
from bertmt.tasks.task import Task, Tasks

# What the switches `super_concat` and `pearson` say, off or on.
SAID_BY_A_SWITCH = ("concat", "super", "mse", "pearson")
TRUE_WORDS = ("true", "on", "yes", "1")
FALSE_WORDS = ("false", "off", "no", "0")
_OLD_HEAD = re.compile(r"([a-z0-9_]+)_head\.(layers|hidden)")


def recipe_from(values: Mapping[str, Any], base: Recipe | None = None, known: Tasks | None = None) -> Recipe:
    """A valid recipe from dotted names and raw values (text from `--set`, or TOML values).

    Args:
        known: the tasks that it may name; by default those of `base`, or the built-in ones.

    Raises:
        RecipeError: with every problem at once: unknown names, values out of bounds, impossible combinations.
    """
    recipe, problems, _ = read_recipe(values, base, known)
    if problems:
        raise RecipeError(problems)
    return recipe


def read_recipe(
    values: Mapping[str, Any], base: Recipe | None = None, known: Tasks | None = None
) -> tuple[Recipe, list[str], set[str]]:
    """The recipe as far as it can be read, what is wrong with it, and the settings that could not be read."""
    base = base or Recipe()
    if known is not None:
        base = dataclasses.replace(base, known=known)
    values = with_present_names(values)
    parsed, problems = read_values(values, base.known)
    unread = {name for name in values if name in SETTINGS and name not in parsed}
    recipe = base.with_values(parsed)
    if undefined := [name for name in recipe.tasks if name not in recipe.known]:
        said = f"`tasks` holds {', '.join(undefined)}, of which there is no definition; there are"
        return recipe, problems or [f"{said} {', '.join(recipe.known)}."], unread
    # A conflict with a setting that could not be read would be one with its default: no news.
    problems += [each for each in conflicts(recipe) if not any(f"`{name}`" in each for name in unread)]
    return recipe, problems, unread


def with_present_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values; a head's settings were once called `sst_head.layers`, and stored recipes have them."""
    return {_OLD_HEAD.sub(r"head.\1.\2", name) if isinstance(name, str) else name: values[name] for name in values}


def read_values(values: Mapping[str, Any], known: Tasks = BUILTIN) -> tuple[dict[str, Any], list[str]]:
    """The values of a recipe that can be read, each by itself, and a sentence for every other."""
    problems: list[str] = []
    parsed: dict[str, Any] = {}
    for name, raw in values.items():
        if name not in SETTINGS:
            problems.append(unknown_name(str(name)))
            continue
        if (task := task_of_head(name)) and task not in known:
            problems.append(f"`{name}` is of no task; there are {', '.join(known)}.")
            continue
        try:
            parsed[name] = parse_value(_with_choices(SETTINGS[name], known), raw)
        except ValueError as problem:
            problems += _about_definitions(name, raw, known) or [str(problem)]
    return parsed, problems


def _about_definitions(name: str, raw: Any, known: Tasks) -> list[str]:
    """Why tasks that are named are not known, where their definitions are there and cannot be read."""
    try:
        words = _read_list(SETTINGS[name], raw) if name == "tasks" else ()
    except ValueError:
        words = ()
    return [said for word in words if (said := why_broken(known, word))]


def task_of_head(name: str) -> str | None:
    """The task whose head a setting is about: "sst" of `head.sst.layers`."""
    group, _, rest = name.partition(".")
    return rest.partition(".")[0] if group == "head" else None


def _with_choices(setting: Setting, known: Tasks) -> Setting:
    return dataclasses.replace(setting, choices=tuple(known)) if setting.name == "tasks" else setting


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
    readers = {
        "bool": _read_bool,
        "int": _read_int,
        "float": _read_float,
        "str": _read_text,
        "list": _read_list,
        "texts": _read_texts,
    }
    value = readers[setting.kind](setting, raw)
    if setting.choices:
        for word in value if setting.kind == "list" else [value]:
            _check_choice(setting, word)
    elif setting.kind in ("int", "float"):
        _check_bounds(setting, value)
    return value


def _expected(setting: Setting, what: str, raw: Any) -> ValueError:
    return ValueError(f"`{setting.name}` must be {what}, but is {shown(raw)}.")


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
        raise _expected(setting, "a list of tasks" if setting.name == "tasks" else "a list of words", raw)
    names = {word.strip().lower() for word in words if word.strip()}
    if not names:
        raise _expected(setting, f"at least one of {', '.join(setting.choices)}", raw)
    known = [choice for choice in setting.choices if choice in names]
    return (*known, *sorted(names - set(known)))


def _read_texts(setting: Setting, raw: Any) -> tuple[str, ...]:
    texts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise _expected(setting, "a list of texts", raw)
    return tuple(" ".join(_read_text(setting, text).split()) for text in texts if text.strip())


def _check_choice(setting: Setting, word: str) -> None:
    if word in setting.choices:
        return
    near = get_close_matches(word, setting.choices, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    if setting.name == "tasks" and not hint:
        on_the_hub = get_close_matches(word, KNOWN_SOURCES, n=1)
        hint = f" Did you mean `{on_the_hub[0]}`? `bertmt task add {on_the_hub[0]}` brings it." if on_the_hub else ""
    raise ValueError(f"`{setting.name}` must be one of {', '.join(setting.choices)}, but is {shown(word)}.{hint}")


def _check_bounds(setting: Setting, value: float) -> None:
    if setting.above is not None and value <= setting.above:
        raise _expected(setting, f"above {setting.above:g}", value)
    if setting.minimum is not None and value < setting.minimum:
        raise _expected(setting, f"at least {setting.minimum:g}", value)
    if setting.maximum is not None and value > setting.maximum:
        raise _expected(setting, f"at most {setting.maximum:g}", value)


def is_pretrained(task: Task) -> bool:
    """Whether MNR and the cosine embedding loss can train it: its pairs have similarities."""
    return task.pair and not task.classes


# What a toggle works on, and how a message calls it.
_NEEDS: Mapping[str, tuple[Callable[[Task], bool], str]] = {
    "pearson": (lambda task: not task.classes, "a task whose labels are numbers"),
    "pair_input": (lambda task: task.pair, "a task of pairs"),
    "number_loss": (lambda task: not task.classes, "a task whose labels are numbers"),
    "mnr": (is_pretrained, "a task of pairs whose labels are numbers"),
    "cosine_embedding": (is_pretrained, "a task of pairs whose labels are numbers"),
    "super_concat": (lambda task: task.pair and task.has_head, "a task of pairs with a head"),
    "pair_features": (lambda task: task.pair and task.has_head, "a task of pairs with a head"),
    "extra_data": (lambda task: task.extra_pairs, "a task that takes extra pairs"),
}
_OFF = {
    "pair_features": "none",
    "pair_input": "separate",
    "number_loss": "none",
}  # how a toggle that is no switch is turned off


def conflicts(recipe: Recipe) -> list[str]:
    """Combinations that cannot work, each as a sentence with the way out."""
    found = []
    for toggle, (suits, what) in _NEEDS.items():
        if recipe.value(toggle) != SETTINGS[toggle].default and not any(
            suits(task) for task in recipe.trained().values()
        ):
            suited = [name for name, task in recipe.known.items() if suits(task)]
            which = f" ({', '.join(suited)})" if suited else ""
            found.append(
                f"`{toggle}` needs {what}{which}, but `tasks` is {','.join(recipe.tasks)}: "
                f"add {suited[0] if suited else 'one'} to tasks, or set {toggle}={_OFF.get(toggle, 'false')}."
            )
    found += own_code.problems(recipe)
    if recipe.loss_of_numbers == "scaled_cosine":
        with_heads = [name for name, task in recipe.trained().items() if not task.classes and recipe.has_head(task)]
        if with_heads:
            found.append(
                f"`number_loss` scaled_cosine is of cosines, but a head predicts {', '.join(with_heads)}: "
                "use mse, pearson or cosent."
            )
    if recipe.loss_of_numbers == "pearson" and recipe.batch_size < 3:
        found.append(f"`pearson` needs a `batch_size` of at least 3, but it is {recipe.batch_size}.")
    if recipe.mnr and recipe.batch_size < 2:
        found.append(f"`mnr` needs a `batch_size` of at least 2, but it is {recipe.batch_size}.")
    if recipe.cosine_embedding and recipe.cosine_negative > recipe.cosine_positive:
        found.append(
            f"`cosine_negative` ({recipe.cosine_negative:g}) must not lie above "
            f"`cosine_positive` ({recipe.cosine_positive:g})."
        )
    found += _about_stages(recipe)
    if recipe.warmup and recipe.warmup_steps:
        found.append("`warmup` and `warmup_steps` both say how long the learning rate rises: set one of them to 0.")
    if recipe.members and (len(set(recipe.members)) < 2 or not all(map(paths.is_run_id, recipe.members))):
        found.append("`members` must be the ids of two runs or more; `bertmt average` sets them.")
    if not recipe.lora.rank and recipe.lora != type(recipe.lora)():
        found.append("`lora.alpha`, `lora.rslora`, `lora.targets` and `lora.dropout` need a `lora.rank` above 0.")
    return found


def _about_stages(recipe: Recipe) -> list[str]:
    if recipe.stages == ("multitask",):
        return []
    if "multitask" not in recipe.stages:
        return ["`stages` begins with multitask; tasks that are apart from the first step on are `ensembling`."]
    if recipe.ensembling:
        return ["`stages` single begins with copies of a shared encoder, which `ensembling` has not: switch one off."]
    if len(recipe.tasks) == 1:
        return [f"`stages` single needs two tasks or more, but `tasks` is {recipe.tasks[0]}: set stages=multitask."]
    return []


def remarks(recipe: Recipe) -> list[str]:
    """Settings that are legal and have nothing to do, or a surprising effect; one sentence each."""
    said = []
    if recipe.surgery and recipe.schedule == "alternate":
        said.append("Gradient surgery is ignored with schedule=alternate: no two tasks share a step.")
    elif recipe.surgery and recipe.sampling != "together":
        said.append(f"Gradient surgery is ignored with sampling={recipe.sampling}: no two tasks share a step.")
    elif recipe.surgery and len(recipe.tasks) == 1:
        said.append("Gradient surgery is ignored with one task.")
    elif recipe.surgery and recipe.ensembling:
        said.append("Gradient surgery is ignored with ensembling: no parameter is shared.")
    if "single" in recipe.stages:
        what = "adapters" if recipe.lora.rank else "an encoder"
        said.append(
            f"In the stage single each task has {what} of its own: {len(recipe.tasks)} times the weights in memory "
            "and in checkpoints of the first stage, and a model as large as with ensembling."
        )
    if recipe.ensembling and len(recipe.tasks) == 1:
        said.append("Ensembling changes nothing with one task: the model is the same, byte for byte.")
    if recipe.sampling != "together" and recipe.schedule != "together":
        said.append(f"`schedule` is ignored with sampling={recipe.sampling}: each step is of one task.")
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
    """The recipe with every optional setting filled, and without heads of tasks that it does not train.

    So it is stored with a run, whose definitions are those of the tasks that it trains.
    """
    rate = recipe.learning_rate or default_learning_rate(recipe.encoder)
    lora = recipe.lora
    if lora.rank and lora.alpha is None:
        lora = dataclasses.replace(lora, alpha=float(lora.rank))
    heads = {task: head for task, head in recipe.head.items() if task in recipe.tasks}
    head_rate = recipe.head_learning_rate or rate
    return dataclasses.replace(
        recipe, learning_rate=rate, head_learning_rate=head_rate, lora=lora, head=heads, **_under_first_names(recipe)
    )


def _under_first_names(recipe: Recipe) -> dict[str, Any]:
    """What two settings can say, said by the one that stored recipes have had all along."""
    features, loss = recipe.features, recipe.loss_of_numbers
    return {
        "super_concat": features == "super",
        "pair_features": None if features in SAID_BY_A_SWITCH else features,
        "pearson": loss == "pearson",
        "number_loss": None if loss in SAID_BY_A_SWITCH else loss,
    }


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
