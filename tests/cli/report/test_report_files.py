"""Where a report is written: whole or not at all, over nothing of others', in the format that is asked for."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

from bertmt.drawing.figures.printing import can_print

Bertmt = Callable[..., Outcome]


def report(bertmt: Bertmt, *more: str, out: str = "report.html") -> Outcome:
    return bertmt("report", "base", "better", "-o", out, *more)


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("r.html", "<!DOCTYPE html>"), ("r.md", "# better"), ("r.tex", "\\documentclass"), ("r.csv", "kind,arm,")],
)
def test_the_name_of_the_file_tells_the_format(
    bertmt: Bertmt, registry: Path, folder: Path, name: str, beginning: str
) -> None:
    outcome = report(bertmt, out=f"new/{name}")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"new/{name}: ") and "KiB" in outcome.out
    assert (folder / "new" / name).read_text(encoding="utf-8").startswith(beginning)
    assert [each.name for each in (folder / "new").iterdir()] == [name]


def test_format_wins_over_the_name_and_an_unknown_name_needs_it(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    refused = report(bertmt, out="report.txt")
    assert refused.code == 2 and "--format html|md|latex|csv" in refused.err and not (folder / "report.txt").exists()
    assert report(bertmt, "--format", "md", out="report.txt").code == 0
    assert (folder / "report.txt").read_text(encoding="utf-8").startswith("# better")


def test_without_a_file_it_goes_to_stdout(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    outcome = bertmt("report", "base", "better")
    assert outcome.code == 0 and outcome.out.startswith("<!DOCTYPE html>") and outcome.out.endswith("</html>\n")
    assert bertmt("report", "base", "better", "--format", "csv").out.startswith("kind,")
    assert list(folder.glob("report*")) == []


def test_a_page_is_not_poured_over_a_terminal(bertmt: Bertmt, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.cli.output.is_terminal", lambda: True)
    refused = bertmt("report", "base", "better")
    assert refused.code == 2 and "-o report.html" in refused.err and refused.out == ""
    assert bertmt("report", "base", "better", "--format", "md").out.startswith("# better")


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.tex"])
def test_its_own_is_replaced_and_what_was_changed_since_is_not(
    bertmt: Bertmt, registry: Path, folder: Path, name: str
) -> None:
    assert report(bertmt, out=name).code == 0
    first = (folder / name).read_text(encoding="utf-8")
    assert bertmt("report", "base", "-o", name).code == 0
    second = (folder / name).read_text(encoding="utf-8")
    assert second != first
    (folder / name).write_text(second.replace("accuracy", "my own words", 1), encoding="utf-8")
    refused = report(bertmt, out=name)
    assert refused.code == 2 and "is not, or not any more, as a report wrote it" in refused.err
    assert "my own words" in (folder / name).read_text(encoding="utf-8")
    assert report(bertmt, "--force", out=name).code == 0
    assert "my own words" not in (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["thesis.html", "numbers.csv"])
def test_a_file_of_others_is_replaced_only_if_asked(bertmt: Bertmt, registry: Path, folder: Path, name: str) -> None:
    (folder / name).write_text("years of work")
    refused = report(bertmt, out=name)
    assert refused.code == 2 and "--force" in refused.err and (folder / name).read_text() == "years of work"
    assert report(bertmt, "--force", out=name).code == 0
    assert (folder / name).read_text(encoding="utf-8") != "years of work"


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_no_plain_file_is_left_alone_whatever_is_asked(
    bertmt: Bertmt, registry: Path, folder: Path, kind: str
) -> None:
    (folder / "mine.txt").write_text("mine")
    if kind == "folder":
        (folder / "report.html").mkdir()
    else:
        (folder / "report.html").symlink_to(folder / "mine.txt")
    outcome = report(bertmt, "--force")
    assert outcome.code == 2 and "no plain file" in outcome.err and (folder / "mine.txt").read_text() == "mine"


def test_a_file_that_appears_meanwhile_is_not_replaced(
    bertmt: Bertmt, registry: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bertmt.services.analysis.report import gathering  # noqa: PLC0415

    gather = gathering.report_of

    def slowly(*arguments: object) -> object:
        (folder / "report.html").write_text("mine")
        return gather(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(gathering, "report_of", slowly)
    assert report(bertmt).code == 2 and (folder / "report.html").read_text() == "mine"


def test_a_write_that_fails_leaves_the_old_report_and_nothing_else(
    bertmt: Bertmt, registry: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert report(bertmt).code == 0
    before = (folder / "report.html").read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bertmt.atomic_files.os.fsync", full)
    outcome = bertmt("report", "base", "-o", "report.html")
    assert outcome.code == 1 and "cannot be written: No space left on device" in outcome.err
    assert (folder / "report.html").read_bytes() == before and not list(folder.glob(".report*"))


def test_a_place_that_cannot_be_is_a_sentence(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    (folder / "file").touch()
    for out in ("file/report.html", "nul\0.html"):
        outcome = report(bertmt, out=out)
        assert outcome.code != 0 and outcome.err.count("\n") == 1 and "Traceback" not in outcome.err


def test_figures_are_files_too_and_texts_show_them(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    outcome = report(bertmt, "--figures", "paper/fig", out="paper/report.md")
    assert outcome.code == 0, outcome.err
    names = {each.name for each in (folder / "paper/fig").iterdir()}
    assert {"forest.svg", "curves-dev-overall.svg", "curves-loss-sst.svg"} <= names
    assert "](<fig/forest.svg>)" in (folder / "paper/report.md").read_text(encoding="utf-8")
    kinds = ("svg", "pdf", "png") if can_print() else ("svg",)
    assert {each.rpartition(".")[2] for each in names - {".bertmt-figures"}} == set(kinds)
    assert f"{len(names) - 1} files" in outcome.out
    assert report(bertmt, "--figures", "paper/fig", out="paper/report.md").code == 0


def test_figures_of_others_are_left_alone(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    (folder / "fig").mkdir()
    (folder / "fig/forest.svg").write_text("mine")
    (folder / "fig/notes.txt").write_text("mine")
    refused = report(bertmt, "--figures", "fig")
    assert refused.code == 2 and "forest.svg is there already" in refused.err
    assert (folder / "fig/forest.svg").read_text() == "mine" and not (folder / "report.html").exists()
    assert report(bertmt, "--figures", "fig", "--force").code == 0
    assert (folder / "fig/forest.svg").read_text() != "mine" and (folder / "fig/notes.txt").read_text() == "mine"
    (folder / "file").touch()
    assert "is no folder" in report(bertmt, "--figures", "file", out="other.html").err


def test_a_folder_that_latex_would_read_as_commands_is_refused(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    refused = report(bertmt, "--figures", "\\input{x}", out="report.tex")
    assert (
        refused.code == 2 and "letters, digits, spaces and - . / _" in refused.err and not list(folder.glob("*input*"))
    )


def test_without_matplotlib_figures_are_svg_alone_and_it_is_said(
    bertmt: Bertmt, registry: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    outcome = report(bertmt, "--figures", "fig", out="report.tex")
    assert outcome.code == 0 and 'pip install "bertmt[figures]"' in outcome.err
    assert {each.suffix for each in (folder / "fig").iterdir()} - {""} == {".svg"}
    assert "includegraphics" not in (folder / "report.tex").read_text(encoding="utf-8")


def test_what_is_said_of_a_report_on_stdout_stays_out_of_it(bertmt: Bertmt, registry: Path) -> None:
    outcome = bertmt("report", "base", "--format", "csv", "--figures", "fig")
    assert "fig: " in outcome.err and "fig: " not in outcome.out
    assert json.dumps(outcome.out.splitlines()[0]).startswith('"kind,')
