"""The blocks of docs/api.md, run in their order in a folder with a registry."""

import re
import runpy
from pathlib import Path

import pytest
from registry_builder import RegistryBuilder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    builder = RegistryBuilder(tmp_path / "runs.db")
    builder.finished("baseline", right=0.4)
    builder.finished("final", "final", right=0.7, **{"lora.rank": 16})
    builder.database.close()
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    names = runpy.run_path(str(tmp_path / "page.py"))
    assert len(blocks) == 6
    assert len(names["runs"]) == 2
    assert set(names["losses"]["series"]) == {"loss/para", "loss/sst", "loss/sts"}
    assert set(names["differences"]["task"]) == {"sst", "para", "sts", "overall"}
    assert capsys.readouterr().out.endswith("No run named 'finale'; `bertmt runs` lists them.\n")
