"""docs/export.md: its commands work, and the lines of Python in the model cards that they write say what we say."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from exported_models import TOLERANCE, exported, made_run, run_script

from bertmt.tasks.builtin import BUILTIN

PAGE = Path(__file__).resolve().parents[3] / "docs" / "export.md"
FIRST, SECOND = "A man plays a guitar.", "Someone makes music."


def python_of(folder: Path) -> str:
    """The lines of Python in a folder's card."""
    blocks = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    return "\n".join(blocks)


@pytest.mark.slow
def test_the_commands_work_and_what_they_write_predicts_as_bertmt_does(
    bertmt: Callable[..., Outcome], folder: Path
) -> None:
    pytest.importorskip("sentence_transformers", reason="NO SENTENCE-TRANSFORMERS: docs/export.md was not checked")
    [block] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines():
        program, *words = shlex.split(line)
        outcome = bertmt(*words)
        assert (program, outcome.code) == ("bertmt", 0), f"{line}: {outcome.err}"
    one = json.loads(bertmt("predict", "best", FIRST, "--json").out)["predictions"]
    two = json.loads(bertmt("predict", "best", FIRST, SECOND, "--json").out)["predictions"]
    ours = {each["task"]: each["probabilities"] for each in (*one, *two)}

    # As a stranger does: through the library's own classes, which ask for consent to run the code beside the weights.
    script = [python_of(folder / "film-classifier"), f"said = predict([{FIRST!r}])[0].tolist()"]
    found = run_script("\n".join([*script, "import json", "print(json.dumps(said))"]), folder)
    assert found == pytest.approx(ours["sst"], abs=TOLERANCE)
    assert len(found) == len(BUILTIN["sst"].classes)

    script = [python_of(folder / "sentence-encoder"), "import json", "print(json.dumps(similarity))"]
    assert run_script("\n".join(script), folder) == pytest.approx(ours["sts"][0], abs=TOLERANCE)


def test_without_consent_the_code_of_a_folder_is_not_run_and_nothing_else_is_loaded(tmp_path: Path) -> None:
    """`model_type` is none of the library's own, so that it cannot take the weights for those of its own classes."""
    folder = exported(made_run(tmp_path / "run", {"tasks": ["sst"]}), "transformers", "sst")
    script = f"""
import json
from transformers import AutoModelForSequenceClassification
try:
    AutoModelForSequenceClassification.from_pretrained({str(folder)!r})
except Exception as problem:
    print()  # ends the line with the question
    print(json.dumps(str(problem)))
"""
    assert "trust_remote_code" in run_script(script, tmp_path)
