"""Where examples come from, by the words of a recipe."""

from pathlib import Path

import pytest

from bertmt.errors import DataError
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_extra_pairs, toy_split
from bertmt.tasks.loading import read_extra_pairs, read_split, with_extra_pairs

PARA = "\tid\tsentence1\tsentence2\tis_duplicate\n"


def test_toy_is_the_embedded_data() -> None:
    assert read_split("toy", BUILTIN["sts"], "dev") == toy_split(BUILTIN["sts"], "dev")


def test_a_folder_may_be_named_toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "ids-sst-dev.csv").write_text("\tid\tsentence\tsentiment\n0\tmine\tfine\t3\n")
    monkeypatch.chdir(tmp_path)
    assert read_split("./toy", BUILTIN["sst"], "dev").examples[0].id == "mine"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ids-sst-dev.csv").write_text("\tid\tsentence\tsentiment\n0\tmine\tfine\t3\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_split("~", BUILTIN["sst"], "dev").examples[0].id == "mine"


@pytest.mark.parametrize("data", ["", "nowhere\0", "~nobody-of-that-name/x", "x" * 5_000])
def test_data_that_cannot_be_a_folder_are_refused(data: str) -> None:
    with pytest.raises(DataError, match="bertmt init --data DIR"):
        read_split(data, BUILTIN["sst"], "dev")


def test_no_file_of_extra_pairs_is_refused() -> None:
    with pytest.raises(DataError, match="bertmt init --extra-data FILE"):
        read_extra_pairs("", BUILTIN["para"], 10)


def test_toy_has_extra_pairs_of_its_own() -> None:
    assert read_extra_pairs("toy", BUILTIN["para"], 10).examples == toy_extra_pairs(BUILTIN["para"]).examples[:10]


def test_extra_pairs_come_behind_the_training_pairs() -> None:
    split = with_extra_pairs(toy_split(BUILTIN["para"], "train"), read_extra_pairs("toy", BUILTIN["para"], 10))
    assert (split.task, split.name) == ("para", "train")
    assert (
        split.examples == toy_split(BUILTIN["para"], "train").examples + toy_extra_pairs(BUILTIN["para"]).examples[:10]
    )


def test_warnings_of_both_files_are_kept_and_ids_stay_unique(tmp_path: Path) -> None:
    rows = "".join(f"0\textra-{n}\tone {n}\ttwo\t0.0\n" for n in range(1, 100))
    (tmp_path / "quora-train.csv").write_text(PARA + rows + "bad\n")
    extra = tmp_path / "extra.jsonl"
    extra.write_text('["a", "b"]\n' * 99 + "bad\n")
    read = read_split(str(tmp_path), BUILTIN["para"], "train")
    split = with_extra_pairs(read, read_extra_pairs(str(extra), BUILTIN["para"], 100))
    assert [warning.partition(":")[0] for warning in split.warnings] == [str(tmp_path / "quora-train.csv"), str(extra)]
    assert len({example.id for example in split.examples}) == 198
