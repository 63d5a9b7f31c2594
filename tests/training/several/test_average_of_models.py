"""An average of trained runs: real children with its members' models say what it has stored."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from attempts import Attempt

from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.services.analysis.examples import examples_of
from bertmt.services.analysis.predict import predict_texts
from bertmt.services.analysis.trying.once import ask_once
from bertmt.services.analysis.trying.runs import choose_tried
from bertmt.services.ingest.import_run import import_run
from bertmt.services.lifecycle.average import average

ROUNDING = 1e-5  # one text at a time and many together are other sums of the same numbers


@pytest.fixture
def registry(tmp_path: Path) -> Database:
    return open_registry(tmp_path / "runs.db", create=True)


@pytest.fixture
def members(registry: Database, trained: Callable[..., Attempt], tmp_path: Path) -> list[Run]:
    """Two trained runs, one that reads pairs as one input; imported as from another machine."""
    found = []
    for run_id, settings in (("aaa111", {}), ("bbb222", {"seed": 1, "pair_input": "joint"})):
        elsewhere = tmp_path / "elsewhere" / run_id
        shutil.copytree(trained(settings).folder.path, elsewhere)
        order = json.loads((elsewhere / "run.json").read_text())
        (elsewhere / "run.json").write_text(json.dumps(order | {"run_id": run_id}))
        found.append(import_run(registry, elsewhere))
    return found


@pytest.mark.slow
def test_it_predicts_and_is_tried_as_it_was_scored(registry: Database, members: list[Run]) -> None:
    mean = average(registry, members)
    for task in ("sst", "sts"):
        table = examples_of(registry, mean, task)
        example = table.examples[0]
        texts = [example.first] if example.second is None else [example.first, example.second]
        [told] = [each for each in predict_texts(registry, mean, texts) if each.task == task]
        expected = (
            [float(each) for each in table.probabilities[0]] if task == "sst" else [float(table.probabilities[0])]
        )
        assert told.probabilities == pytest.approx(expected, abs=ROUNDING)
        if task == "sst":
            assert told.label == table.predicted[0]
        board = ask_once(choose_tried(registry, [mean, members[0]]), example.first, example.second)
        tried, alone = board.told[mean.id, task], board.told[members[0].id, task]
        assert tried.probabilities == pytest.approx(expected, abs=ROUNDING)
        assert alone.probabilities != pytest.approx(expected, abs=ROUNDING)


def test_without_the_weights_of_one_it_says_whose(registry: Database, members: list[Run], tmp_path: Path) -> None:
    mean = average(registry, members)
    shutil.rmtree(tmp_path / "runs" / "bbb222" / "model")
    with pytest.raises(NotFoundError, match=r"average of aaa111, bbb222: Run bbb222 has no weights in .*were deleted"):
        predict_texts(registry, mean, ["a film"])
    chosen = choose_tried(registry, [mean, members[0]])
    assert [each.run.id for each in chosen.tried] == ["aaa111"] and list(chosen.refused) == [mean.id]
