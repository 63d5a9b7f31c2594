"""Dev examples that stand elsewhere too: counted by hand, said at submit, by `show` and by `compare`."""

import json
from pathlib import Path
from typing import Any

import pytest
from stored_scores import store_scores

from bertmt.recipe.loading import preset
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.database import Database
from bertmt.registry.runs import run_by_key, store_setting
from bertmt.services.analysis.arms import Arm
from bertmt.services.analysis.comparability import about_dev_data
from bertmt.services.analysis.compare import compare
from bertmt.services.browse.details import details_of
from bertmt.services.lifecycle.control import edit
from bertmt.services.plan.data_check import check_data
from bertmt.services.plan.overlaps import Overlap, TextKeys, count_overlap, overlap_sentences, text_keys
from bertmt.services.plan.submit import Request, plan, submit
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import Example
from bertmt.tasks.loading import read_split

TRAINED = "STS: 1 of 3 dev examples also occur in the training data as whole pairs"
TOUCHED = "STS: of 3 of 3 dev pairs one sentence at least stands in the training data."
SHARED = "STS: 2 of 3 dev pairs share a sentence with another"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A CS224N folder with STS alone: one dev pair is trained on, two dev pairs share a sentence."""
    header = "\tid\tsentence1\tsentence2\tsimilarity\n"
    splits = {
        "train": ["a\tone\ttwo\t5", "b\tfour\tthree\t1"],
        "dev": ["c\tone\ttwo\t0", "d\tthree\tfour\t1", "e\tfive\tfour\t2"],
    }
    for name, rows in splits.items():
        lines = "".join(f"{number}\t{row}\n" for number, row in enumerate(rows))
        (tmp_path / f"sts-{name}.csv").write_text(header + lines)
    return tmp_path


def request(data: Path | str, seeds: tuple[int, ...] = (), **values: Any) -> Request:
    return Request(preset="sts-only", values={"data": str(data), "encoder": "tiny", **values}, seeds=seeds)


def pairs(*texts: Any) -> TextKeys:
    return text_keys([Example(str(index), *each) for index, each in enumerate(texts)])


def test_examples_and_sentences_that_stand_elsewhere_are_counted() -> None:
    dev = pairs(("a", "b"), ("c", "a"), ("d", "d"), ("e", "f"), ("b", "a"), ("g", "h"))
    training = [pairs(("a", "b"), ("f", "e")), pairs(("d", "d"))]
    # (a, b) and (d, d) are trained on, (e, f) the other way round; a stands in three pairs, d twice in one alone.
    assert count_overlap(dev, training, 0) == Overlap(dev=6, in_training=2, sharing=3, touching=5)
    assert count_overlap(dev, training, 2) == Overlap(dev=2, in_training=1, sharing=2, touching=2)
    assert count_overlap(dev, training, 1) == Overlap(dev=1, in_training=1, sharing=0, touching=1)


def test_single_sentences_are_no_pairs() -> None:
    split = text_keys([Example("1", "a"), Example("2", "a"), Example("3", "b")])
    training = [text_keys([Example("4", "b")])]
    assert count_overlap(split, training, 0) == Overlap(dev=3, in_training=1, sharing=0, touching=1)


def test_it_is_said_when_a_run_is_queued_and_shown_with_it(database: Database, data: Path) -> None:
    planned = plan(request(data))
    [run] = submit(database, planned)
    for said in (planned.remarks, details_of(database, run).remarks):
        starts = (TRAINED, TOUCHED, SHARED)
        assert [sum(sentence.startswith(start) for sentence in said) for start in starts] == [1, 1, 1]


def test_what_an_older_bertmt_counted_is_counted_anew(database: Database, data: Path) -> None:
    [run] = submit(database, plan(request(data)))
    [name] = [row[0] for row in database.execute("SELECT name FROM settings WHERE name LIKE 'overlap %'")]
    store_setting(database, name, '{"dev": 3, "in_training": 1, "sharing": 2}')
    assert [each.split(",")[0] for each in overlap_sentences(database, run)] == [TRAINED, SHARED]
    submit(database, plan(request(data)))
    assert TOUCHED in overlap_sentences(database, run)


def test_it_is_known_of_the_data_that_a_waiting_run_is_given_too(database: Database, data: Path) -> None:
    [run] = submit(database, plan(request("toy")))
    edited = edit(database, run, {"data": str(data)})
    said = overlap_sentences(database, edited)
    starts = (TRAINED, TOUCHED, SHARED)
    assert [sentence.startswith(start) for sentence, start in zip(said, starts, strict=True)] == [True] * 3


def test_what_is_not_evaluated_does_not_count(database: Database, data: Path) -> None:
    submit(database, plan(request(data)))
    [run] = submit(database, plan(request(data, evaluate_examples=1)))
    assert [sentence.split(",")[0] for sentence in overlap_sentences(database, run)] == [
        "STS: 1 of 1 dev examples also occur in the training data as whole pairs",
        "STS: of 1 of 1 dev pairs one sentence at least stands in the training data.",
    ]
    assert not overlap_sentences(database, submit(database, plan(request("toy")))[0])


def test_extra_pairs_are_trained_on_too(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    told = {"data": "toy", "encoder": "tiny", "extra_data": "true", "extra_data_file": str(file), "tasks": "para"}
    wanted = resolved(recipe_from(told, preset("baseline").recipe()))
    file.write_text('["never asked", "never asked either"]\n')
    assert check_data(wanted).overlaps["para"].in_training == 0
    dev = read_split("toy", BUILTIN["para"], "dev").examples[:2]
    file.write_text("".join(json.dumps([each.first, each.second]) + "\n" for each in dev))
    assert check_data(wanted).overlaps["para"].in_training == 2


def test_a_comparison_says_it_of_the_tasks_that_are_compared(database: Database, data: Path) -> None:
    arms = []
    for rank in (1, 2):
        runs = submit(database, plan(request(data, seeds=(1, 2), **{"lora.rank": rank})))
        for run in runs:
            database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
            store_scores(database, run.key, {"sts": 0.5}, selected_epoch=1)
        arms.append([run_by_key(database, run.key) for run in runs])
    warnings = compare(database, arms).warnings
    starts = (TRAINED, TOUCHED, SHARED)
    assert [sum(sentence.startswith(start) for sentence in warnings) for start in starts] == [1, 1, 1]


def test_of_many_arms_that_it_is_true_of_three_are_named(database: Database, data: Path) -> None:
    arms = [Arm((submit(database, plan(request(data, (), **{"lora.rank": rank})))[0],)) for rank in range(1, 6)]
    arms.append(Arm((submit(database, plan(request("toy")))[0],)))
    said = about_dev_data(database, arms, ("sts",))
    ids = ", ".join(f"sts-only ({arm.runs[0].id})" for arm in arms[:3])
    assert [sentence.startswith(f"{ids} and 2 more: STS: ") for sentence in said] == [True] * 3, said


def test_a_count_that_cannot_be_read_is_none(database: Database, data: Path) -> None:
    [run] = submit(database, plan(request(data)))
    [name] = [row[0] for row in database.execute("SELECT name FROM settings WHERE name LIKE 'overlap %'")]
    for damaged in ("no JSON", "[]", '{"dev": 3}', '{"dev": "3", "in_training": 1, "sharing": 2}'):
        store_setting(database, name, damaged)
        assert overlap_sentences(database, run) == []


def test_the_real_dev_pairs_are_those_that_were_found_by_hand(real_data: Path) -> None:
    told = {"data": str(real_data), "encoder": "tiny", "tasks": "sts"}
    found = check_data(resolved(recipe_from(told, preset("baseline").recipe()))).overlaps["sts"]
    assert found == Overlap(dev=863, in_training=13, sharing=57, touching=194)
