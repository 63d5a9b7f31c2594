"""Wrong keys of a task's definition, told in one sentence of ours: file, key, what was expected, what was found."""

from pathlib import Path

import msgspec
import pytest

from bertmt.errors import DataError
from bertmt.services.plan.known_tasks import read_definition
from bertmt.tasks.readers.definition_keys import BUILT_IN_ALONE, KEYS, SOURCE_KEYS
from bertmt.tasks.task import Source, Task

WHOLE = """title = "Mood"
inputs = "single"
classes = ["a", "b"]
prediction = "logits"
metrics = ["accuracy"]

[source]
train = "a.csv"
dev = "b.csv"
text = "t"
label = "l"
"""
WRONG = [
    ('title = "Mood"', "title = 3", "`title` must be a text, but is 3."),
    ('title = "Mood"\n', "", "`title` is missing; it must be a text."),
    ('"single"', '"triple"', "`inputs` must be one of single, pair, but is 'triple'."),
    ('"single"', "true", "`inputs` must be one of single, pair, but is true."),
    ('["a", "b"]', '"a,b"', '`classes` must be a list of texts such as ["bad", "good"], but is \'a,b\'.'),
    ('["a", "b"]', '["a", 2]', '`classes` must be a list of texts such as ["bad", "good"], but is [\'a\', 2].'),
    ('classes = ["a", "b"]', "range = [0]", "`range` must be two numbers such as [0, 5], but is [0]."),
    ('classes = ["a", "b"]', "range = [true, 2]", "`range` must be two numbers such as [0, 5], but is [True, 2]."),
    ('"logits"', "1979-05-27", "`prediction` must be one of logits, cosine, but is "),
    ('metrics = ["accuracy"]\n', "", '`metrics` is missing; it must be a list of texts such as ["accuracy"].'),
    ("[source]", "[[source]]", "`source` must be a table, [source], but is [{'train': 'a.csv'"),
    ('label = "l"', "label = 7", "`source.label` must be a text, but is 7."),
    ('label = "l"\n', "", "`source.label` is missing; it must be a text."),
    ("label =", "labell =", "'source.labell' is no key of a task: the nearest is `source.label`."),
    ("title =", "qqq =", "'qqq' is no key of a task: there are title, data_set, inputs"),
    ("[source]", 'course = "x"\n[source]', "`course`, `grammar` and `extra_pairs` are of built-in tasks alone"),
    ('title = "Mood"', f"title = 0x{'f' * 5000}", "`title` must be a text, but is too large to show."),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_a_wrong_key_is_told_in_our_words(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "mood.toml"
    file.write_text(WHOLE)
    assert read_definition(file).classes == ("a", "b")
    assert old in WHOLE
    file.write_text(WHOLE.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_definition(file)
    assert str(caught.value).startswith(f"{file}: {said}") and len(str(caught.value)) < 400


def test_every_key_that_a_definition_may_have_is_known() -> None:
    def fields(of: type[msgspec.Struct]) -> dict[str, bool]:
        return {each.name: each.required for each in msgspec.structs.fields(of)}

    asked = {name: key.required for name, key in KEYS.items()}
    assert {**asked, "name": True, **dict.fromkeys(BUILT_IN_ALONE, False)} == fields(Task)
    assert {name: key.required for name, key in SOURCE_KEYS.items()} == fields(Source)
