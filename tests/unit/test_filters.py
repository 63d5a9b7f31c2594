"""The query language over runs."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bertmt.errors import UsageError
from bertmt.filters.fields import known_fields, with_recipe
from bertmt.filters.parsing import parse_filter
from bertmt.filters.terms import Filter
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.tasks.builtin import BUILTIN

FIELDS = known_fields({name: setting.kind for name, setting in SETTINGS.items()}, BUILTIN)


def run(**changed: Any) -> dict[str, Any]:
    fields = {
        "id": "k3f9",
        "name": "Try-LoRA",
        "preset": "final",
        "state": "running",
        "tags": ("paper", "night"),
        "note": "looks good so far",
        "seed": 1,
        "sst": 0.52,
        "para": None,
        "sts": -0.1,
        "overall": None,
        "epoch": 3,
        "step": 900,
        "device": "cpu",
    }
    recipe = Recipe().with_values({"lora.rank": 20, "learning_rate": 1e-5, "pearson": True, "tasks": ("sst", "sts")})
    return with_recipe(fields | changed, recipe.flat())


def matches(query: str, **changed: Any) -> bool:
    return parse_filter(query, FIELDS).matches(run(**changed))


@pytest.mark.parametrize(
    "query",
    [
        "state:running lora>0 sst>0.5 tag:paper -tag:old seed:1 final",
        "",
        "   ",
        "try-lora",
        "LORA",
        "k3",
        "nigh",
        "state=RUNNING",
        "state:queued,running",
        "state!=queued,failed",
        "name:lora",
        "name=try-lora",
        "note:'good so'",
        'note:"good so"',
        "sst>=0.52",
        "sst<=0.52",
        "sst=0.52",
        "sts<0",
        "sts:-0.1",
        "seed:1,2",
        "lr=1e-5",
        "lr=0.00001",
        "rank>=20",
        "lora.rank!=0",
        "pearson:on",
        "-mnr:true",
        "mnr=no",
        "tasks:sts",
        "-tasks:para",
        "encoder:bert",
        "epoch:3",
        "recipe.epoch:longest",
        "state:queued | final",
        "nothing|state:running",
        "old,night",
        '"try-"',
        "overall:none",
        "-sst:none",
        "SST>0.5",
        "device=cpu",
        "name<z",
    ],
)
def test_a_query_that_describes_the_run_matches(query: str) -> None:
    assert matches(query)


@pytest.mark.parametrize(
    "query",
    [
        "state:failed",
        "tag:pap",
        "tags=nigh",
        "name=lora",
        "preset=fin",
        "-final",
        "-try-lora",
        "final -seed:1",
        "sst>0.52",
        "sst<0.5",
        "sst!=0.52",
        "pearson:false",
        "tasks:para",
        "state!=queued,running",
        "state:queued | seed:2",
        "good",
        "sst:none",
        "epoch:2",
        "lora:200",
        "name:'try lora'",
    ],
)
def test_a_query_that_does_not_describe_the_run_does_not_match(query: str) -> None:
    assert not matches(query)


@pytest.mark.parametrize("query", ["para>0", "para<1", "para=0", "para!=0", "para>=0", "overall<=1", "preset!=final"])
def test_an_empty_field_matches_no_comparison(query: str) -> None:
    assert not matches(query, preset=None)
    assert matches("-" + query, preset=None)


def test_a_score_that_is_not_a_number_counts_as_empty() -> None:
    assert not matches("sst!=0", sst=float("nan"))
    assert matches("sst:none", sst=float("nan"))


def test_a_field_that_a_run_lacks_counts_as_empty() -> None:
    assert parse_filter("sst:none", FIELDS).matches({})
    assert not parse_filter("final", FIELDS).matches({})


def test_a_text_called_none_is_found_in_quotes() -> None:
    assert matches('name:"none"', name="None")
    assert not matches("name:none", name="None")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lorra>0", "character 1: `lorra` is not a field of a run; did you mean `lora`?"),
        ("final  sst>abc", "character 12: `sst` is a number, but is compared with 'abc'."),
        ("sst>nan", "`sst` is a number"),
        ("pearson:maybe", "`pearson` is true or false, but is compared with 'maybe'."),
        ("tags>3", "`tags` has no order; use `tags:` or `-tags:`."),
        ("layers:2", "`layers` may be `head.sst.layers` or `head.para.layers`; write it in full."),
        ("ranc:2", "did you mean `lora.rank`?"),
        ("seed>1,2", "takes one value, not 2"),
        ("state:", "character 7: a value is expected after `state:`"),
        ("state:running,", "character 15: a value is expected after `,`"),
        ('name:"open', "character 6: this quote is not closed."),
        ('"a"b', "character 4: 'b' is not expected here"),
        ("-", "a value is expected after `-`"),
        ("a!b", "'!' is not expected here"),
        (">5", "a value is expected, but '>' is found"),
        ("| final", "there is nothing before `|`."),
        ("final |", "there is nothing after `|`."),
        ("https://x", "`https` is not a field of a run"),
    ],
)
def test_an_error_names_the_place_and_what_was_expected(query: str, expected: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse_filter(query, FIELDS)
    assert expected in str(problem.value)


CHOICES = {"state": ("queued", "running", "finished")}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state:finishd", "character 7: `state` is queued, running or finished, but is compared with 'finishd'; did"),
        ("state:finishd", "did you mean `finished`?"),
        ("state=finish", "did you mean `finished`?"),
        ("state:running,nonsense", "character 15: `state` is queued, running or finished"),
        ("-state!=nonsense", "but is compared with 'nonsense'."),
    ],
)
def test_a_value_that_a_field_never_has_is_refused(query: str, expected: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse_filter(query, FIELDS, CHOICES)
    assert expected in str(problem.value)


@pytest.mark.parametrize("query", ["state:FINISHED", "state:fin", "state=queued,running", "state:none", "name:finishd"])
def test_a_value_or_the_beginning_of_one_is_understood(query: str) -> None:
    parse_filter(query, FIELDS, CHOICES)


def test_every_recipe_key_is_a_field_and_every_alias_leads_to_one() -> None:
    for name, setting in SETTINGS.items():
        assert FIELDS.get(f"recipe.{name}" if name == "epoch" else name) == setting.kind
    for alias in ("lora", "lr", "tag", "batch", "task"):
        parse_filter(f"{alias}:none", FIELDS)


def test_negation_is_the_complement() -> None:
    for query in ("final", "sst>0.5", "para>0.5", "tag:paper", "state!=failed", "mnr:true"):
        assert matches(query) != matches("-" + query)


pieces = st.sampled_from(
    [
        "state",
        "sst",
        "lora",
        "tags",
        "mnr",
        "final",
        ":",
        "=",
        "!=",
        ">",
        "<=",
        "-",
        ",",
        "|",
        " ",
        '"',
        "'",
        "0.5",
        "none",
    ]
)


@given(st.one_of(st.text(), st.lists(pieces, max_size=12).map("".join)))
@example("-" * 50)
@example('""')
@example("\x00:\ud800")
def test_any_text_is_a_filter_or_a_usage_error(text: Any) -> None:
    try:
        found = parse_filter(text, FIELDS)
    except UsageError:
        return
    assert isinstance(found, Filter)
    assert found.matches(run()) in (True, False)
    assert found.matches({}) in (True, False)
    hash(found)  # frozen all the way down


@given(st.sampled_from(["running", "queued", "failed"]), st.integers(0, 3), st.integers(0, 300))
def test_terms_are_joined_by_and_and_alternatives_by_or(state: Any, seed: int, rank: int) -> None:
    fields = run(state=state, seed=seed) | {"lora.rank": rank}
    both = parse_filter("state:running seed:1 lora>100", FIELDS).matches(fields)
    either = parse_filter("state:running | seed:1 | lora>100", FIELDS).matches(fields)
    assert both == (state == "running" and seed == 1 and rank > 100)
    assert either == (state == "running" or seed == 1 or rank > 100)
