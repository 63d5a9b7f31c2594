"""What a recipe may hold: values, combinations, and the sentences about both."""

from typing import Any

import pytest

from bertmt.errors import RecipeError, UsageError
from bertmt.recipe.encoders import KNOWN_ENCODERS
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import conflicts, recipe_from, remarks, resolved, unresolved
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task


def problems_of(values: dict[Any, Any] | dict[str, Any], base: Recipe | None = None) -> list[Any]:
    with pytest.raises(RecipeError) as refused:
        recipe_from(values, base)
    return list(refused.value.problems)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("ensembling", "on", True),
        ("ensembling", "No", False),
        ("ensembling", 1, True),
        ("epochs", "3", 3),
        ("epochs", " 1_000 ", 1000),
        ("epochs", "1e3", 1000),
        ("epochs", 8.0, 8),
        ("epoch_steps", str(2**53 + 1), 2**53 + 1),
        ("learning_rate", "3e-5", 3e-5),
        ("learning_rate", 1, 1.0),
        ("learning_rate", "default", None),
        ("lora.alpha", "none", None),
        ("encoder", "  minilm ", "minilm"),
        ("tasks", "STS, sst", ("sst", "sts")),
        ("tasks", '["para"]', ("para",)),
        ("tasks", ["sts", "sts"], ("sts",)),
        ("schedule", "alternate", "alternate"),
    ],
)
def test_a_value_is_read_as_its_settings_type(name: str, raw: str | float | list[str], value: Any) -> None:
    read = recipe_from({name: raw}, base=Recipe().with_values({"lora.rank": 8})).value(name)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("ensembling", "maybe", "`ensembling` must be true or false, but is 'maybe'."),
        ("ensembling", 2, "`ensembling` must be true or false, but is 2."),
        ("epochs", "two", "`epochs` must be a whole number, but is 'two'."),
        ("epochs", "2.5", "`epochs` must be a whole number, but is '2.5'."),
        ("epochs", True, "`epochs` must be a whole number, but is True."),
        ("epochs", "inf", "`epochs` must be a whole number, but is 'inf'."),
        ("epochs", None, "`epochs` must be a whole number, but is None."),
        ("epochs", 0, "`epochs` must be at least 1, but is 0."),
        ("epochs", 2**63, "`epochs` must be a whole number of at most 19 digits, but is 9223372036854775808."),
        ("max_length", 513, "`max_length` must be at most 512, but is 513."),
        ("learning_rate", 0, "`learning_rate` must be above 0, but is 0.0."),
        ("learning_rate", "nan", "`learning_rate` must be a finite number, but is 'nan'."),
        ("weight_decay", [1], "`weight_decay` must be a number, but is [1]."),
        ("encoder", 5, "`encoder` must be text, but is 5."),
        ("data", "a\0b", "`data` must be text without a NUL character, but is 'a\\x00b'."),
        ("data", "caf\udce9", "`data` must be text in UTF-8, but is 'caf\\udce9'."),
        ("tasks", "", "`tasks` must be at least one of sst, para, sts, but is ''."),
        ("tasks", 5, "`tasks` must be a list of tasks, but is 5."),
        ("tasks", "sst,quora", "`tasks` must be one of sst, para, sts, but is 'quora'."),
        ("tasks", "sst,colla", "but is 'colla'. Did you mean `cola`? `bertmt task add cola` brings it."),
        ("schedule", "togther", "must be one of together, alternate, but is 'togther'. Did you mean `together`?"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected_and_found(
    name: str, raw: str | int | list[int] | None, expected: str
) -> None:
    [problem] = problems_of({name: raw})
    assert expected in problem


def test_a_huge_value_is_refused_in_a_short_sentence() -> None:
    assert problems_of({"weight_decay": 10**400})[0].startswith("`weight_decay` must be a number, but is 1000000")
    assert problems_of({"epochs": 10**5000}) == [
        "`epochs` must be a whole number of at most 19 digits, but is too large to show."
    ]
    assert len(problems_of({"schedule": "x" * 10_000})[0]) < 300


def test_all_problems_are_reported_at_once() -> None:
    problems = problems_of({"epochs": 0, "lora.rnak": 20, "schedule": "never", "batch_size": 1, "mnr": True})
    assert len(problems) == 4
    assert problems[0].startswith("`epochs`")
    assert problems[1].startswith("`lora.rnak`")
    assert problems[2].startswith("`schedule`")
    assert problems[3].startswith("`mnr` needs a `batch_size`")


def test_recipe_problems_are_a_usage_error_and_read_one_per_line() -> None:
    with pytest.raises(UsageError) as refused:
        recipe_from({"epochs": 0, "batch_size": 0})
    assert str(refused.value).splitlines() == list(refused.value.problems)


def test_a_warm_up_in_steps_and_one_as_a_share_are_refused_together() -> None:
    assert problems_of({"warmup": 0.1, "warmup_steps": 5}) == [
        "`warmup` and `warmup_steps` both say how long the learning rate rises: set one of them to 0."
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (False, None, False, None)),
        ({"super_concat": True, "pearson": True}, (True, None, True, None)),
        ({"pair_features": "super", "number_loss": "pearson"}, (True, None, True, None)),
        ({"super_concat": True, "pair_features": "concat"}, (False, None, False, None)),
        ({"pearson": True, "number_loss": "mse"}, (False, None, False, None)),
        ({"super_concat": True, "pair_features": "product"}, (False, "product", False, None)),
        ({"pearson": True, "number_loss": "cosent"}, (False, None, False, "cosent")),
    ],
)
def test_one_method_is_stored_in_one_way_whichever_setting_said_it(
    values: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    recipe = resolved(recipe_from(values))
    assert (recipe.super_concat, recipe.pair_features, recipe.pearson, recipe.number_loss) == expected
    assert resolved(recipe) == recipe
    assert (recipe.features, recipe.loss_of_numbers) == (
        recipe_from(values).features,
        recipe_from(values).loss_of_numbers,
    )


def test_a_switch_that_a_later_setting_overrules_is_said_to_be_ignored() -> None:
    said = remarks(
        recipe_from({"super_concat": True, "pair_features": "product", "pearson": True, "number_loss": "mse"})
    )
    assert "`super_concat` is ignored: pair_features is product." in said
    assert "`pearson` is ignored: number_loss is mse." in said


def test_features_of_pairs_and_losses_of_numbers_need_some() -> None:
    assert problems_of({"tasks": "sst", "pair_features": "product"}) == [
        "`pair_features` needs a task of pairs with a head (para), but `tasks` is sst: add para to tasks, or set "
        "pair_features=none."
    ]
    assert "add sts to tasks, or set number_loss=none." in problems_of({"tasks": "sst", "number_loss": "cosent"})[0]


def test_pairs_read_as_one_have_heads_where_a_cosine_was_and_no_features_of_two_embeddings() -> None:
    recipe = recipe_from({"pair_input": "joint", "super_concat": True, "head.sts.layers": 2})
    assert "head.sts.layers" in recipe.settings() and "head.sts.layers" not in Recipe().settings()
    assert remarks(recipe) == ["`super_concat` is ignored: pair_input is joint."]
    assert recipe.digest() == recipe_from({"pair_input": "joint", "head.sts.layers": 2}).digest()
    assert recipe.longest_input == 256 and Recipe().longest_input == 128
    assert "needs a task of pairs (para, sts)" in problems_of({"tasks": "sst", "pair_input": "both"})[0]


def test_a_scaled_cosine_beside_a_joint_input_is_refused() -> None:
    [problem] = problems_of({"pair_input": "both", "number_loss": "scaled_cosine"})
    assert problem.endswith("but a head predicts sts: use mse, pearson or cosent.")


def test_a_scaled_cosine_of_what_a_head_predicts_is_refused() -> None:
    rated = Task(name="rated", title="Rated", inputs="single", range=(1, 5), metrics=("pearson",))
    recipe = Recipe(known={**BUILTIN, "rated": rated}, tasks=("rated",), number_loss="scaled_cosine")
    assert conflicts(recipe) == [
        "`number_loss` scaled_cosine is of cosines, but a head predicts rated: use mse, pearson or cosent."
    ]


def test_a_setting_that_cannot_be_read_causes_no_second_sentence_about_its_default() -> None:
    assert len(problems_of({"lora.rank": "many", "lora.alpha": 16})) == 1
    assert len(problems_of({"tasks": "quora", "pearson": True}, base=Recipe(tasks=("sst",)))) == 1


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("lora.rnak", "lora.rank"),
        ("rank", "lora.rank"),
        ("epoch_step", "epoch_steps"),
        ("learning-rate", "learning_rate"),
        ("superconcat", "super_concat"),
        ("sst_head.layer", "head.sst.layers"),
        ("head.sst.layer", "head.sst.layers"),
    ],
)
def test_an_unknown_setting_gets_the_nearest_right_spelling(wrong: str, right: str) -> None:
    assert problems_of({wrong: 1}) == [f"`{wrong}` is not a setting; did you mean `{right}`?"]


def test_a_name_that_resembles_none_gets_the_command_that_lists_them() -> None:
    assert problems_of({"zzzzzz": 1}) == ["`zzzzzz` is not a setting; `bertmt recipe --keys` lists them all."]


SIMILARITIES = "a task of pairs whose labels are numbers"


@pytest.mark.parametrize(
    ("toggle", "needed"),
    [("pearson", "a task whose labels are numbers"), ("mnr", SIMILARITIES), ("cosine_embedding", SIMILARITIES)],
)
def test_a_loss_of_numbers_without_any_is_refused_with_both_ways_out(toggle: str, needed: str) -> None:
    [problem] = problems_of({"tasks": "sst,para", toggle: True})
    assert problem == (
        f"`{toggle}` needs {needed} (sts), but `tasks` is sst,para: add sts to tasks, or set {toggle}=false."
    )


@pytest.mark.parametrize(
    ("toggle", "needed"),
    [("super_concat", "a task of pairs with a head (para)"), ("extra_data", "a task that takes extra pairs (para)")],
)
def test_a_toggle_of_pairs_without_them_is_refused(toggle: str, needed: str) -> None:
    assert f"needs {needed}" in problems_of({"tasks": "sst", toggle: True})[0]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"pearson": True, "batch_size": 2}, "`pearson` needs a `batch_size` of at least 3"),
        ({"mnr": True, "batch_size": 1}, "`mnr` needs a `batch_size` of at least 2"),
        ({"cosine_embedding": True, "cosine_negative": 4}, "`cosine_negative` (4) must not lie above"),
        ({"lora.alpha": 16}, "need a `lora.rank` above 0"),
    ],
)
def test_what_cannot_work_together_is_refused(values: dict[str, Any], named: str) -> None:
    [problem] = problems_of(values)
    assert named in problem


def test_a_base_keeps_what_is_not_named() -> None:
    base = recipe_from({"lora.rank": 20, "lora.dropout": 0.1, "seed": 3})
    changed = recipe_from({"lora.rank": 100}, base)
    assert (changed.lora.rank, changed.lora.dropout, changed.seed) == (100, 0.1, 3)
    assert base.lora.rank == 20


@pytest.mark.parametrize(
    ("values", "remark"),
    [
        ({"tasks": "sst"}, "Gradient surgery is ignored with one task."),
        ({"ensembling": True}, "Gradient surgery is ignored with ensembling: no parameter is shared."),
        ({"schedule": "alternate"}, "Gradient surgery is ignored with schedule=alternate"),
        ({"tasks": "sst", "ensembling": True}, "Ensembling changes nothing with one task"),
        ({"tasks": "sst", "head.para.layers": 2}, "`head.para.layers` is ignored: para is not trained."),
        ({"head.sst.hidden": 70}, "`head.sst.hidden` is ignored: head.sst.layers is 1."),
        ({"mnr_scale": 20}, "`mnr_scale` is ignored: mnr is off."),
        ({"cosine_positive": 4}, "`cosine_positive` is ignored: cosine_embedding is off."),
        ({"pretraining_epochs": 2}, "`pretraining_epochs` is ignored: mnr and cosine_embedding are off."),
        (
            {"mnr": True, "pretraining_order": "cosine_first"},
            "`pretraining_order` is ignored: mnr and cosine_embedding are not both on.",
        ),
        ({"head_dropout": 0.5}, "`head_dropout` is ignored: no head has more than one layer."),
        ({"lora.rank": 200}, "lora.rank=200 holds 52% of the 768×768 matrices it replaces"),
        ({"encoder": "tiny", "lora.rank": 200}, "lora.rank=200 is more than the encoder tiny is wide (128)"),
    ],
)
def test_what_has_nothing_to_do_is_said(values: Any, remark: str) -> None:
    assert any(said.startswith(remark) for said in remarks(recipe_from(values)))


@pytest.mark.parametrize(
    "values",
    [{}, {"surgery": False, "tasks": "sst"}, {"lora.rank": 192}, {"mnr": True, "mnr_scale": 20}],
)
def test_what_has_its_effect_is_passed_over_in_silence(values: dict[str, Any]) -> None:
    assert remarks(recipe_from(values)) == []


def test_an_idle_setting_is_no_part_of_the_method_and_a_working_one_is() -> None:
    idle, working = recipe_from({"mnr_scale": 20}), recipe_from({"mnr": True, "mnr_scale": 20})
    assert idle.toggles() == Recipe().toggles()
    assert working.toggles() != recipe_from({"mnr": True}).toggles()


def test_the_data_and_the_extra_pairs_count_as_scale_only_where_they_are_used() -> None:
    assert recipe_from({"extra_data_limit": 5}).scale() == Recipe().scale()
    assert recipe_from({"extra_data": True, "extra_data_limit": 5}).scale() != recipe_from({"extra_data": True}).scale()
    assert recipe_from({"data": "toy"}).scale() != Recipe().scale()


def test_resolving_fills_what_was_left_out() -> None:
    tiny = resolved(recipe_from({"encoder": "tiny", "lora.rank": 16}))
    assert (tiny.learning_rate, tiny.head_learning_rate, tiny.lora.alpha) == (3e-4, 3e-4, 16.0)
    base = resolved(Recipe())
    assert (base.learning_rate, base.head_learning_rate, base.lora.alpha) == (1e-5, 1e-5, None)


def test_resolving_keeps_what_was_given_and_changes_nothing_twice() -> None:
    given = recipe_from({"learning_rate": 2e-5, "head_learning_rate": 1e-3, "lora.rank": 8, "lora.alpha": 4})
    assert resolved(given) == given
    once = resolved(recipe_from({"learning_rate": 2e-5}))
    assert once.head_learning_rate == 2e-5
    assert resolved(once) == once


def test_the_heads_follow_an_explicit_learning_rate_of_the_encoder() -> None:
    assert resolved(recipe_from({"encoder": "tiny", "learning_rate": 5e-4})).head_learning_rate == 5e-4


def test_an_encoder_of_ones_own_gets_the_papers_learning_rate() -> None:
    assert resolved(recipe_from({"encoder": "models/mine"})).learning_rate == 1e-5


def test_what_followed_a_setting_follows_it_when_a_stored_recipe_is_changed() -> None:
    stored = resolved(recipe_from({"encoder": "tiny", "lora.rank": 16}))
    changed = resolved(recipe_from({"lora.rank": 8, "encoder": "minilm"}, base=unresolved(stored)))
    assert (changed.lora.alpha, changed.learning_rate, changed.head_learning_rate) == (8.0, 1e-5, 1e-5)


def test_what_was_chosen_on_purpose_stays_when_a_stored_recipe_is_changed() -> None:
    own = {"lora.rank": 16, "lora.alpha": 32, "learning_rate": 3e-5, "head_learning_rate": 1e-3}
    changed = resolved(recipe_from({"lora.rank": 8, "encoder": "minilm"}, base=unresolved(resolved(recipe_from(own)))))
    assert (changed.lora.alpha, changed.learning_rate, changed.head_learning_rate) == (32.0, 3e-5, 1e-3)


def test_a_rank_above_the_width_of_an_encoder_saves_nothing_and_is_legal() -> None:
    for name, encoder in KNOWN_ENCODERS.items():
        for more, said in ((0, False), (1, True)):
            recipe = Recipe().with_values({"encoder": name, "lora.rank": encoder.hidden_size + more})
            assert conflicts(recipe) == []
            assert any("saves nothing" in each for each in remarks(recipe)) == said


def test_the_defaults_are_the_papers_baseline() -> None:
    recipe = resolved(Recipe())
    assert (recipe.encoder, recipe.learning_rate, recipe.batch_size, recipe.epochs) == (
        "bert-base-uncased", 1e-5, 8, 10
    )  # fmt: skip
    assert (recipe.surgery, recipe.schedule, recipe.epoch) == (True, "together", "longest")
    assert (recipe.head_dropout, recipe.head_output_dropout, recipe.weight_decay) == (0.2, 0.1, 0.01)
    assert (recipe.mnr_threshold, recipe.cosine_positive, recipe.cosine_negative, recipe.mnr_scale) == (4.0, 3.5, 1, 1)
    assert (recipe.extra_data_limit, recipe.pretraining_epochs) == (50_000, 1)


def test_every_setting_is_explained_in_one_line_and_its_default_is_legal() -> None:
    for setting in SETTINGS.values():
        assert setting.help and "\n" not in setting.help and not setting.help.endswith(".")
    assert recipe_from(Recipe().flat()) == Recipe()


def test_the_digest_sees_every_setting_but_where_the_data_lies() -> None:
    base = Recipe()
    assert recipe_from({"data": "elsewhere", "extra_data_file": "x.jsonl"}).digest() == base.digest()
    assert recipe_from({"seed": 1}).digest() != base.digest()
