"""`bertmt export --to csv|parquet|tensorboard`: read back by other programs, and held to what other commands say."""

import csv
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.drawing.safe_text import safe_text
from bertmt.registry.records import Run
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Evaluated, Step
from bertmt.run_folder.layout import RunFolder

Bertmt = Callable[..., Outcome]
FORMATS = ("csv", "parquet", "tensorboard")
NEEDS = {"csv": (), "parquet": ("pyarrow",), "tensorboard": ("tensorboardX",)}
TABLES = {"runs", "metrics", "scores", "confusion"}


def needed(to: str) -> None:
    for library in NEEDS[to]:
        pytest.importorskip(library, reason=f"NO {library.upper()}: --to {to} was not tried")


def export(bertmt: Bertmt, to: str, *words: str, out: str = "out") -> Outcome:
    needed(to)
    return bertmt("export", *words, "--to", to, "--out", out)


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def curves_said(bertmt: Bertmt, *runs: str) -> dict[tuple[str, str], list[tuple[int, float, float | None]]]:
    """By id and series what `bertmt curves` says: step, seconds of training, value."""
    said = json.loads(bertmt("curves", *runs, "--series", "*", "--x", "time", "--json").out)["curves"]
    return {
        (each["run"], each["series"]): list(zip(each["steps"], each["x"], each["values"], strict=True)) for each in said
    }


def events_of(registry: Path, run: Run) -> list[Any]:
    return read_events(RunFolder(registry.parent / "runs" / run.id).events(1))[0]


def table_points(rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[tuple[int, float, float | None]]]:
    found: dict[tuple[str, str], list[tuple[int, float, float | None]]] = {}
    for row in rows:
        value = None if row["value"] in ("", None) else float(row["value"])
        found.setdefault((row["run"], row["series"]), []).append((int(row["step"]), float(row["seconds"]), value))
    return found


def test_csv_has_the_numbers_of_the_other_commands(bertmt: Bertmt, folder: Path, registry: Path) -> None:
    outcome = export(bertmt, "csv", "base", "better", "twins")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{folder}/out: 4 runs, 5 files, ")
    assert {each.name for each in (folder / "out").iterdir()} == {f"{name}.csv" for name in TABLES} | {".bertmt-export"}
    points = table_points(rows_of(folder / "out", "metrics"))
    said = curves_said(bertmt, "base", "better", "twins")
    assert points.keys() == said.keys()
    for key, expected in said.items():
        assert [(step, value) for step, _, value in points[key]] == [(step, value) for step, _, value in expected]
        assert [at for _, at, _ in points[key]] == pytest.approx([at for _, at, _ in expected], abs=1e-5)


def test_csv_has_the_runs_their_recipes_and_their_scores(bertmt: Bertmt, folder: Path, registry: Path) -> None:
    assert export(bertmt, "csv", "better", "twins").code == 0
    better, *twins = rows_of(folder / "out", "runs")
    shown = json.loads(bertmt("show", "better", "--json").out)
    run, details = shown["run"], shown["details"]
    assert (better["run"], better["state"], better["seed"]) == (run["id"], "finished", "0")
    assert better["recipe.lora.rank"] == "16" and better["recipe.tasks"] == "sst,para,sts"
    assert better["recipe.super_concat"] == "true" and float(better["recipe.learning_rate"]) == 0.0003
    assert {name.removeprefix("recipe.") for name in better if name.startswith("recipe.")} == details["recipe"].keys()
    for task, score in run["scores"].items():
        assert float(better[f"score.{task}"]) == score
    assert [each["score.sst"] for each in twins] == ["", ""], "of a task that a run did not train there is no number"
    scores = [each for each in rows_of(folder / "out", "scores") if each["run"] == run["id"]]
    told = {(each["epoch"], each["task"], each["metric"]): each for each in scores}
    for epoch in details["epochs"]:
        for task, metrics in epoch["metrics"].items():
            for metric, value in metrics.items():
                row = told[str(epoch["epoch"]), task, metric]
                assert (float(row["value"]), int(row["step"])) == (value, epoch["step"])
        assert told[str(epoch["epoch"]), "overall", "overall"]["value"] == str(epoch["overall"])
    chosen = {each["epoch"] for each in told.values() if each["selected"] == "true"}
    assert chosen == {str(run["selected_epoch"])}


def test_a_point_has_the_time_of_its_event(
    bertmt: Bertmt, folder: Path, registry: Path, run_named: Callable[..., Run]
) -> None:
    assert export(bertmt, "csv", "base").code == 0
    at = {(each["series"], int(each["step"])): each["at"] for each in rows_of(folder / "out", "metrics")}
    for event in events_of(registry, run_named("base")):
        if isinstance(event, Step):
            assert at["loss/sst", event.step] == event.at
        if isinstance(event, Evaluated):
            assert at["dev/sst", event.step] == event.at
    [row] = rows_of(folder / "out", "runs")
    assert datetime.fromisoformat(row["started_at"]).tzinfo is not None


def test_confusion_matrices_are_those_of_the_command(bertmt: Bertmt, folder: Path, registry: Path) -> None:
    assert export(bertmt, "csv", "base").code == 0
    said = json.loads(bertmt("confusion", "base", "--task", "sst", "--json").out)
    cells = [each for each in rows_of(folder / "out", "confusion") if (each["task"], each["epoch"]) == ("sst", "2")]
    assert [int(each["count"]) for each in cells] == [count for row in said["counts"] for count in row]
    assert [each["true"] for each in cells[:5]] == [said["classes"][0]] * 5


def test_pandas_reads_the_csv_with_its_types(bertmt: Bertmt, folder: Path, registry: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="NO PANDAS: that it reads the CSV was not seen")
    assert export(bertmt, "csv", "base", "better").code == 0
    points = pandas.read_csv(folder / "out" / "metrics.csv", parse_dates=["at"])
    assert {name: str(kind) for name, kind in points.dtypes.items() if name in ("step", "value")} == {
        "step": "int64", "value": "float64",
    }  # fmt: skip
    assert str(points["at"].dt.tz) == "UTC"
    for (run, series), expected in curves_said(bertmt, "base", "better").items():
        found = points[(points["run"] == run) & (points["series"] == series)]
        assert found["value"].tolist() == pytest.approx([value for _, _, value in expected], rel=1e-14)
    runs = pandas.read_csv(folder / "out" / "runs.csv")
    assert runs["recipe.super_concat"].tolist() == [False, True] and runs["recipe.lora.rank"].tolist() == [0, 16]


def test_parquet_has_the_same_with_types(bertmt: Bertmt, folder: Path, registry: Path) -> None:
    assert export(bertmt, "parquet", "base", "better", "twins").code == 0
    assert export(bertmt, "csv", "base", "better", "twins", out="csv").code == 0
    parquet = pytest.importorskip("pyarrow.parquet")
    tables = {name: parquet.read_table(folder / "out" / f"{name}.parquet") for name in TABLES}
    assert str(tables["metrics"].schema.field("at").type) == "timestamp[ms, tz=UTC]"
    assert str(tables["runs"].schema.field("recipe.lora.rank").type) == "int64"
    for name, table in tables.items():
        told, written = table.to_pylist(), rows_of(folder / "csv", name)
        assert len(told) == len(written) and table.column_names == list(written[0])
        for row, cells in zip(told, written, strict=True):
            for column, cell in cells.items():
                assert same(row[column], cell), (name, column, row[column], cell)


def same(value: Any, cell: str) -> bool:
    """Whether a cell of a CSV says that value."""
    if value is None:
        return cell == ""
    if isinstance(value, bool):
        return cell == str(value).lower()
    if isinstance(value, datetime):
        return datetime.fromisoformat(cell) == value
    return float(cell) == value if isinstance(value, (int, float)) else cell == value


def reader(folder: Path) -> Any:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="NO TENSORBOARD: its reader did not read what --to tensorboard writes",
    )
    return accumulator.EventAccumulator(str(folder), dict.fromkeys(("scalars", "images", "tensors"), 0)).Reload()


def test_tensorboard_reads_scalars_with_their_times(
    bertmt: Bertmt, folder: Path, registry: Path, run_named: Callable[..., Run]
) -> None:
    assert export(bertmt, "tensorboard", "base", "better").code == 0
    run = run_named("base")
    events = reader(folder / "out" / f"base-seed0-{run.id}")
    said = {series: points for (of, series), points in curves_said(bertmt, "base").items() if of == run.id}
    assert {tag for tag in events.Tags()["scalars"] if not tag.startswith("selected/")} == said.keys()
    for series, expected in said.items():
        found = events.Scalars(series)
        assert [each.step for each in found] == [step for step, _, _ in expected]
        # TensorBoard keeps single precision.
        assert [each.value for each in found] == pytest.approx([value for _, _, value in expected], rel=1e-6)
    at = {each.step: each.wall_time for each in events.Scalars("loss/sst")}
    told = {event.step: event.at for event in events_of(registry, run) if isinstance(event, Step)}
    assert at == pytest.approx(
        {step: datetime.fromisoformat(text).timestamp() for step, text in told.items()}, rel=0, abs=0.002
    )
    [chosen] = events.Scalars("selected/overall")
    assert (chosen.step, chosen.value) == (6, pytest.approx(run.score("overall")))


def test_tensorboard_reads_the_recipe_as_hyper_parameters(
    bertmt: Bertmt, folder: Path, registry: Path, run_named: Callable[..., Run]
) -> None:
    hparams = pytest.importorskip(
        "tensorboard.plugins.hparams.plugin_data_pb2", reason="NO TENSORBOARD: hyper-parameters were not read back"
    )
    assert export(bertmt, "tensorboard", "--filter", "seed:0 state:finished,failed", "--yes").code == 0
    better = reader(folder / "out" / f"better-seed0-{run_named('better').id}")

    def said(events: Any, tag: str) -> Any:
        content = events.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
        return hparams.HParamsPluginData.FromString(content)

    values = said(better, "session_start_info").session_start_info.hparams
    assert values["lora.rank"].number_value == 16 and values["super_concat"].bool_value is True
    assert values["tasks"].string_value == "sst,para,sts" and values["encoder"].string_value == "tiny"
    assert said(better, "session_end_info").session_end_info.status == 1  # STATUS_SUCCESS of its api.proto
    evil = next(each for each in (folder / "out").iterdir() if each.name.startswith("evil"))
    assert said(reader(evil), "session_end_info").session_end_info.status == 2  # STATUS_FAILURE


def test_tensorboard_shows_matrices_as_pictures_and_tables(
    bertmt: Bertmt, folder: Path, registry: Path, run_named: Callable[..., Run]
) -> None:
    images = pytest.importorskip("PIL.Image", reason="NO PILLOW: the pictures were not looked at")
    assert export(bertmt, "tensorboard", "base").code == 0
    events = reader(folder / "out" / f"base-seed0-{run_named('base').id}")
    found = events.Images("confusion/sst")
    assert [(each.step, each.width, each.height) for each in found] == [(step, 240, 240) for step in (0, 3, 6)]
    (folder / "picture.png").write_bytes(found[-1].encoded_image_string)
    picture = images.open(folder / "picture.png")
    said = json.loads(bertmt("confusion", "base", "--task", "sst", "--json").out)
    for true, counts in enumerate(said["counts"]):
        shades = [picture.getpixel((48 * predicted + 24, 48 * true + 24))[0] for predicted in range(5)]
        expected = [247 - 239 * count / sum(counts) for count in counts]
        assert shades == pytest.approx(expected, abs=1), "more of a row is darker, from white to all of it"
    text = events.Tensors("confusion/sst/counts")[-1].tensor_proto.string_val[0].decode()
    first = said["counts"][0]
    assert f"| negative | {' | '.join(map(str, first))} |" in text


@pytest.mark.parametrize("to", FORMATS)
def test_hostile_names_and_texts_stay_texts(bertmt: Bertmt, folder: Path, builder: RegistryBuilder, to: str) -> None:
    """Names that leave a folder, texts that steer a terminal, and formulas that a spreadsheet would run."""
    formula = '=HYPERLINK("http://evil.example","x")'
    names = ["../../up", "/etc/passwd", "a\\b:c*?", "..", "＝1+1", "@SUM(A1)", "-2+3", HOSTILE, "   =1+1"]
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    runs = [builder.add(f"named{number}") for number in range(len(names))]
    for run, name in zip(runs, names, strict=True):
        builder.database.execute("UPDATE runs SET name = ?, note = ? WHERE key = ?", (name, formula, run.key))
    before = sorted(path for path in folder.parent.rglob("*") if "cache" not in path.parts)
    outcome = export(bertmt, to, *(run.id for run in runs))
    assert outcome.code == 0, outcome.err
    after = sorted(path for path in folder.parent.rglob("*") if "cache" not in path.parts)
    assert all(path.is_relative_to(folder / "out") for path in set(after) - set(before))
    for path in (folder / "out").rglob("*"):
        assert str(path.relative_to(folder)).isascii() and stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    if to == "csv":
        rows = rows_of(folder / "out", "runs")
        assert [row["name"].lstrip("'") for row in rows] == [safe_text(name) for name in names]
        for row in rows:
            for cell in row.values():
                assert not cell.lstrip().startswith(tuple("=+-@＝")) and "\x1b" not in cell
    if to == "parquet":
        found = pytest.importorskip("pyarrow.parquet").read_table(folder / "out" / "runs.parquet").to_pylist()
        assert [row["name"] for row in found] == names and {row["note"] for row in found} == {formula}
    if to == "tensorboard":
        about = [reader(path).Tensors("run")[0].tensor_proto.string_val[0].decode() for path in
                 (folder / "out").iterdir() if path.is_dir()]  # fmt: skip
        assert len(about) == len(names) and not any("\x1b" in text for text in about)


@pytest.mark.parametrize("to", FORMATS)
def test_a_folder_of_ours_alone_is_replaced(bertmt: Bertmt, folder: Path, registry: Path, to: str) -> None:
    assert export(bertmt, to, "base").code == 0
    refused = export(bertmt, to, "base")
    assert refused.code == 2 and "out is there already" in refused.err
    assert export(bertmt, to, "better", "--force").code == 0
    (folder / "out" / "thesis.txt").write_text("years of work")
    refused = export(bertmt, to, "base", "--force")
    assert refused.code == 2 and "thesis.txt, which no export wrote" in refused.err
    assert (folder / "out" / "thesis.txt").exists() and not list(folder.glob(".out*"))


def test_events_that_another_program_wrote_beside_ours_are_left_alone(
    bertmt: Bertmt, folder: Path, registry: Path
) -> None:
    assert export(bertmt, "tensorboard", "base").code == 0
    [run] = [each for each in (folder / "out").iterdir() if each.is_dir()]
    other = run / "events.out.tfevents.1700000000.mymachine"
    other.write_bytes(b"mine")
    refused = export(bertmt, "tensorboard", "base", "--force")
    assert refused.code == 2 and "mymachine, which no export wrote" in refused.err and other.exists()


@pytest.mark.parametrize("to", FORMATS)
def test_runs_whose_folder_is_gone_have_their_numbers_and_no_times(
    bertmt: Bertmt, folder: Path, registry: Path, run_named: Callable[..., Run], to: str
) -> None:
    run = run_named("base")
    shutil.rmtree(registry.parent / "runs" / run.id)
    outcome = export(bertmt, to, "base")
    assert outcome.code == 0 and f"is not known of {run.id}" in outcome.err
    if to == "csv":
        rows = rows_of(folder / "out", "metrics")
        assert rows and {row["at"] for row in rows} == {""} and all(row["value"] for row in rows)
    if to == "tensorboard":
        started = datetime.fromisoformat(str(run.execution.started_at)).timestamp()
        found = reader(folder / "out" / f"base-seed0-{run.id}").Scalars("dev/sst")
        assert [each.wall_time for each in found] == pytest.approx([started] * 3, rel=0, abs=0.002)


@pytest.mark.parametrize(("to", "library"), [("parquet", "pyarrow"), ("tensorboard", "tensorboardX")])
def test_without_a_library_one_sentence_says_what_to_install(
    bertmt: Bertmt, folder: Path, registry: Path, monkeypatch: pytest.MonkeyPatch, to: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    outcome = bertmt("export", "base", "--to", to, "--out", "out")
    assert outcome.code == 1 and f'needs {library}: `pip install "bertmt[{to}]"`' in outcome.err
    assert outcome.err.count("\n") == 1 and not list(folder.glob("*out*")) and not list(folder.glob(".out*"))


def test_writing_events_loads_no_torch(tmp_path: Path) -> None:
    """tensorboardX imports it where it finds it."""
    pytest.importorskip("tensorboardX", reason="NO TENSORBOARDX: that it leaves torch alone was not seen")
    made = f"EventRecords(pathlib.Path({str(tmp_path / 'events')!r}))"
    said = "print(any(name.startswith('torch') for name in sys.modules))"
    module = "bertmt.services.analysis.results_folder.event_records"
    program = f"import pathlib, sys; from {module} import EventRecords; {made}; {said}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False"], done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("base --to csv", "--to csv needs --out DIR"),
        ("base --to csv --out x --task sst", "--task goes with --to sentence-transformers|transformers"),
        ("base --to parquet --out x --adapter", "--adapter goes with --to sentence-transformers|transformers"),
        ("base --to tensorboard --out x --jsonl", "--jsonl goes without --to"),
        ("nobody --to csv --out x", "nobody"),
        ("--filter state:lost --yes --to csv --out x", "No run matches"),
    ],
)
def test_what_cannot_be_had_is_said(bertmt: Bertmt, folder: Path, registry: Path, words: str, said: str) -> None:
    outcome = bertmt("export", *words.split())
    assert outcome.code in (2, 3) and said in outcome.err, outcome.err
    assert not (folder / "x").exists()
