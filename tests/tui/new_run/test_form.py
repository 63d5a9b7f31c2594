"""The form for new runs, without a screen."""

import pytest
from call_types import AddRun

from bertmt.errors import UsageError
from bertmt.recipe.loading import from_json, preset
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import recipe_from, unresolved
from tui.screens.new_run.form import NewRunForm, parse_seeds, split_sweeps
from tui.widgets.fields import Field


@pytest.fixture
def form() -> NewRunForm:
    base = recipe_from({"data": "toy", "encoder": "tiny", **preset("baseline").values})
    return NewRunForm(base=base, preset="baseline")


def line_of(form: NewRunForm, name: str) -> Field:
    return next(field for field in form.fields() if field.key == name)


def test_every_setting_of_training_has_one_line_and_the_seed_only_where_a_run_is_changed(
    form: NewRunForm, add_run: AddRun
) -> None:
    keys = [field.key for field in form.fields()]
    assert len(keys) == len(set(keys))
    assert set(SETTINGS) - set(keys) == {"seed", "members"}
    changed = NewRunForm(base=form.base, run=add_run(), edits=True)
    assert set(SETTINGS) - {field.key for field in changed.fields()} == {"members"}


def test_a_value_that_was_there_before_is_no_change(form: NewRunForm) -> None:
    changed = form.with_value("lora.rank", "20")
    assert changed.typed == {"lora.rank": "20"} and line_of(changed, "lora.rank").is_changed
    assert changed.with_value("lora.rank", " 0 ").typed == {}
    assert changed.without("lora.rank") == form


@pytest.mark.parametrize(
    ("name", "text"),
    [("epochs", "0"), ("epochs", "many"), ("seeds", "x"), ("tags", "a:b"), ("sweep", "lora.rank"), ("tasks", "")],
)
def test_what_cannot_stand_in_a_line_is_refused_with_a_sentence(form: NewRunForm, name: str, text: str) -> None:
    with pytest.raises(UsageError) as refused:
        form.with_value(name, text)
    assert str(refused.value) == form.check(name, text)


def test_switches_turn_and_choices_go_round(form: NewRunForm) -> None:
    assert form.with_next("pearson").value("pearson") is True
    assert form.with_next("pearson").with_next("pearson") == form
    assert form.with_next("schedule").value("schedule") == "alternate"
    assert form.with_next("schedule", 2) == form
    assert form.with_next("precision", -1).value("precision") == "bf16"


def test_what_is_left_open_follows_what_is_typed(form: NewRunForm) -> None:
    assert line_of(form, "learning_rate").shown == "0.0003 (by default)"  # of the encoder tiny
    typed = form.with_value("learning_rate", "0.5")
    assert line_of(typed, "head_learning_rate").shown == "0.5 (by default)"
    assert typed.with_value("learning_rate", "") == form


def test_a_line_that_has_nothing_to_do_says_why(form: NewRunForm) -> None:
    assert line_of(form, "mnr_scale").idle == "mnr is off"
    assert line_of(form.with_next("mnr"), "mnr_scale").idle == ""


def test_problems_of_the_whole_recipe_are_told_and_the_lines_still_shown(form: NewRunForm) -> None:
    impossible = form.with_value("tasks", "sst").with_next("pearson").with_next("extra_data")
    assert ["pearson" in problem or "extra_data" in problem for problem in impossible.problems()] == [True, True]
    assert line_of(impossible, "tasks").shown == "sst"
    assert form.problems() == ()


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("", ()), ("3", (3,)), ("0,1,2", (0, 1, 2)), ("0-4", (0, 1, 2, 3, 4)), ("7 1-2, 7", (7, 1, 2)), ("5-5", (5,))],
)
def test_seeds_are_single_ones_and_ranges_without_repetition(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["a", "1-", "-1", "4-1", "0-1000", "1.5", "9999999999"])
def test_seeds_that_cannot_be_are_refused(form: NewRunForm, text: str) -> None:
    assert form.check("seeds", text)


def test_sweeps_are_told_apart_by_their_names() -> None:
    assert split_sweeps("lora.rank=20, 100 epochs=1,2") == ("lora.rank=20, 100", "epochs=1,2")
    assert split_sweeps("epochs=1,2; batch_size=4") == ("epochs=1,2", "batch_size=4")
    assert split_sweeps(" ") == ()


def test_a_request_holds_what_was_typed_and_seeds_times_sweeps_count_the_runs(form: NewRunForm) -> None:
    filled = form
    typed = {"seeds": "0-2", "sweep": "lora.rank=20,100", "name": "mine", "note": "why", "tags": "a, b", "epochs": "3"}
    for name, text in typed.items():
        filled = filled.with_value(name, text)
    request = filled.with_next("hold").request()
    assert (request.preset, request.from_run, request.seeds) == ("baseline", None, (0, 1, 2))
    assert request.values == {"epochs": "3"} and request.sweeps == ("lora.rank=20,100",)
    assert (request.name, request.note, request.tags, request.hold, request.first) == (
        "mine",
        "why",
        ("a", "b"),
        True,
        False,
    )
    assert filled.run_count() == 6
    assert "Queue 6 runs" in filled.fields()[-1].name


def test_another_source_keeps_what_was_typed_unless_it_says_the_same(form: NewRunForm, add_run: AddRun) -> None:
    run = add_run("other", "pearson", epochs=7)
    typed = form.with_value("epochs", "7").with_value("batch_size", "4")
    copied = typed.with_source(unresolved(from_json(run.submission.recipe_json)), None, run)
    assert copied.typed == {"batch_size": "4"}
    assert copied.value("pearson") is True and copied.request().from_run is run


def test_a_folded_section_shows_its_title_and_what_is_changed_in_it(form: NewRunForm) -> None:
    changed = form.with_value("mnr_scale", "2")
    folded = changed.fields({"constants of the method"})
    assert "mnr_scale" not in {field.key for field in folded}
    title = next(field for field in folded if field.key == "constants of the method")
    assert title.shown.endswith("settings, 1 changed")
