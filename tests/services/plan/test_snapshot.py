"""The code as it is stored with a run: what is on disk when the run is queued."""

import subprocess
from pathlib import Path

import pytest

from bertmt.services.plan import snapshot


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one module in a git checkout of its own."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("first = 1\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(snapshot, "PACKAGE", folder)
    return folder


def test_code_that_changed_has_another_digest_and_diff_in_the_same_process(package: Path) -> None:
    before = snapshot.take_snapshot()
    (package / "__init__.py").write_text("second = 2\n")
    after = snapshot.take_snapshot()
    assert before.code_digest != after.code_digest == snapshot.code_digest()
    assert before.source["diff"] == "" and "+second = 2" in after.source["diff"]
    (package / "__init__.py").write_text("first = 1\n")
    assert snapshot.take_snapshot() == before
