"""`bertmt queue`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs

TINY = ("--data", "toy", "--encoder", "tiny")
FINAL = ("--preset", "final", *TINY, "--set", "lora.rank=16")


def runs_in(folder: Path) -> list[Run]:
    with open_registry(folder / "runs.db") as database:
        return all_runs(database)


def test_a_preset_is_queued_and_what_comes_next_is_said(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("queue", "--preset", "baseline", *TINY)
    [run] = runs_in(folder)
    assert run.id in outcome.out
    assert "No worker is running: `bertmt worker --drain`" in outcome.err
    assert "One epoch is 250 steps" in outcome.err


def test_seeds_and_sweeps_multiply(bertmt: Callable[..., Outcome], folder: Path) -> None:
    bertmt("queue", "--preset", "sts-only", *TINY, "--sweep", "lora.rank=2,4", "--seed", "1", "--seed", "2")
    found = {(run.recipe["lora.rank"], run.seed) for run in runs_in(folder)}
    assert found == {(2, 1), (2, 2), (4, 1), (4, 2)}


@pytest.mark.parametrize(
    ("sweep", "names"),
    [
        ("lora.rank=20,30", {"lora-r20", "lora-r20-rank30"}),
        ("batch_size=4,8", {"lora-r20-batch_size4", "lora-r20-batch_size8"}),
        ("seed=3,4", {"lora-r20-seed3", "lora-r20-seed4"}),
    ],
)
def test_only_seeds_share_a_name(bertmt: Callable[..., Outcome], folder: Path, sweep: str, names: set[str]) -> None:
    bertmt("queue", "--preset", "lora-r20", *TINY, "--sweep", sweep)
    assert {run.name for run in runs_in(folder)} == names


def test_settings_note_tags_name_and_hold_are_stored(bertmt: Callable[..., Outcome], folder: Path) -> None:
    arguments = ("--set", "epochs=3", "--note", "why not", "--tag", "a", "--tag", "b", "--name", "mine", "--hold")
    outcome = bertmt("queue", "--preset", "sst-only", *TINY, *arguments)
    [run] = runs_in(folder)
    assert (run.recipe["epochs"], run.annotations.note, run.annotations.tags, run.name, run.state) == (
        3,
        "why not",
        ("a", "b"),
        "mine",
        "held",
    )
    assert f"`bertmt release {run.id}`" in outcome.err


def test_a_dry_run_checks_everything_and_stores_nothing(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("queue", *FINAL, "--seed", "1", "--seed", "2", "--dry-run")
    assert outcome.code == 0
    assert "without --dry-run 2 runs would be" in outcome.err
    assert list(folder.iterdir()) == []


def test_a_dry_run_says_how_long_runs_take_and_what_they_can_show(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    outcome = bertmt("queue", *FINAL, *(word for seed in range(5) for word in ("--seed", str(seed))), "--dry-run")
    assert outcome.code == 0, outcome.err
    said = " ".join(outcome.out.split())
    assert "runs 5 runs" in said and "time " in said and "can show What they can show is not known yet" in said
    few = bertmt("queue", *FINAL, "--seed", "1", "--seed", "2", "--dry-run", "--json")
    document = json.loads(few.out, parse_constant=pytest.fail)
    assert document["smallest_effects"]["seeds"] == 2 and document["smallest_effects"]["comparisons"] == 4
    assert len(document["seconds"]) == 2


def test_a_dry_run_as_json_holds_whole_recipes(bertmt: Callable[..., Outcome], folder: Path) -> None:
    document = json.loads(bertmt("queue", *FINAL, "--dry-run", "--json").out)
    [run] = document["runs"]
    assert (document["dry_run"], run["id"], run["recipe"]["lora.alpha"]) == (True, None, 16.0)
    assert any("Gradient surgery" in remark for remark in document["remarks"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preset", "baseline", "--encoder", "tiny"], "No data is named"),
        (["--preset", "baseline", "--data", "toy"], "`bertmt fetch bert-base-uncased`"),
        (["--preset", "baseline", "--data", "nowhere", "--encoder", "tiny"], "nowhere"),
        (["--preset", "sst-only", "--set", "pearson=true", *TINY], "needs a task whose labels are numbers (sts)"),
        (["--preset", "baseline", "--file", "x.toml", *TINY], "Name one recipe"),
        ([*TINY], "Name one recipe"),
        (["--preset", "baseline", "--preset", "final", *TINY], "takes one --preset, but found 2 (baseline, final)"),
        (["--preset", "baseline", "--set", "epochs", *TINY], "KEY=VALUE"),
        (["--preset", "baseline", "--tag", "two words", *TINY], "A tag is one word"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_stored(
    bertmt: Callable[..., Outcome], folder: Path, arguments: list[str], said: str
) -> None:
    outcome = bertmt("queue", *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert list(folder.iterdir()) == []


def test_every_problem_of_a_request_is_told_in_one_message(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt(
        "queue", "--preset", "final", "--encoder", "no-such-encoder", "--data", "no-data", "--extra-data", "no-pairs",
        "--set", "epochs=0", "--set", "lora.rnk=3", "--set", "epochs", "--device", "tpu", "--priority", "high",
        "--start", "tomorrow", "--after", "nobody", "--tag", "two words", "--seed", "x", "--sweep", "y",
        "--checkpoint-dir", "/dev/null/x",
    )  # fmt: skip
    words = (
        "makes one", "--start", "--priority", "--device", "--set expects", "A tag", "--checkpoint-dir", "`seed`",
        "--sweep", "`epochs` must be at least 1", "`lora.rnk`", "'no-such-encoder'", "data folder", "extra pairs",
    )  # fmt: skip
    lines = outcome.err.splitlines()
    assert (outcome.code, outcome.out, len(lines)) == (2, "", len(words)), outcome.err
    assert all(word in line for word, line in zip(words, lines, strict=True)), outcome.err
    assert list(folder.iterdir()) == []


def test_what_was_set_is_judged_where_the_recipe_is_unknown(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt(
        "queue", "--preset", "finale", "--encoder", "no-such", "--data", "no-data", "--set", "lora.alpha=2",
        "--set", "epochs=0",
    )  # fmt: skip
    lines = outcome.err.splitlines()
    words = ("finale", "`epochs`", "'no-such'", "data folder")
    assert all(word in line for word, line in zip(words, lines, strict=True)), outcome.err
    assert outcome.code == 2


def test_a_run_that_is_not_there_is_all_that_is_said_of_the_recipe(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    outcome = bertmt("queue", "--from", "nobody", "--device", "tpu")
    assert outcome.code == 2
    lines = outcome.err.splitlines()
    assert len(lines) == 2 and "'nobody'" in lines[0] and "--device" in lines[1]


def test_a_problem_that_all_runs_of_a_sweep_share_is_told_once(bertmt: Callable[..., Outcome], folder: Path) -> None:
    sweep = ("--sweep", "epochs=1,2", "--sweep", "encoder=tiny,no-such")
    lines = bertmt("queue", "--preset", "baseline", "--data", "no-data", *sweep).err.splitlines()
    assert len(lines) == 2 and "no-data" in lines[0] and "'no-such'" in lines[1]


def test_the_missing_files_of_a_folder_are_one_sentence(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("queue", "--preset", "baseline", "--encoder", "tiny", "--data", ".")
    assert f"{folder} lacks ids-sst-train.csv, ids-sst-dev.csv, quora-train.csv and 3 more: " in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_seed_on_the_command_line_wins_over_that_of_a_file(bertmt: Callable[..., Outcome], folder: Path) -> None:
    (folder / "my.toml").write_text(bertmt("recipe", "--preset", "baseline").out, encoding="utf-8")
    assert bertmt("queue", "--file", "my.toml", "--seed", "3", *TINY).code == 0
    assert [run.seed for run in runs_in(folder)] == [3]


def test_a_recipe_that_is_printed_can_be_queued_and_follows_what_is_changed(
    bertmt: Callable[..., Outcome], folder: Path
) -> None:
    (folder / "my.toml").write_text(bertmt("recipe", "--preset", "final").out, encoding="utf-8")
    bertmt("queue", "--file", "my.toml", *TINY, "--set", "lora.rank=8")
    [run] = runs_in(folder)
    assert run.name == "my"
    assert run.recipe["lora.alpha"] == 8.0, "alpha follows the rank unless a file pins it"
    assert run.recipe["learning_rate"] == 3e-4, "the learning rate follows the encoder"


def test_a_recipe_of_another_run_is_queued_again(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    outcome = bertmt("queue", "--from", "base", "--seed", "7")
    first = run_named("base")
    with open_registry(registry) as database:
        newest = all_runs(database)[-1]
    assert newest.id in outcome.out
    assert {**newest.recipe, "seed": 0} == dict(first.recipe)


def test_what_finished_before_is_left_out_unless_it_is_wanted_again(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, run_named: Callable[..., Run]
) -> None:
    same = ("queue", "--preset", "sst-only", *TINY, "--name", "twin")
    bertmt(*same)
    twin = run_named("twin")
    builder.database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (twin.key,))
    refused = bertmt(*same)
    assert (refused.code, refused.out) == (4, "")
    assert f"{twin.id} (twin, seed 0) has already finished with the same recipe, encoder, data and code" in refused.err
    assert "--seed N" in refused.err and "--again" in refused.err
    with_another = bertmt(*same, "--seed", "0", "--seed", "1")
    assert with_another.code == 0 and "is not queued" in with_another.err
    assert [line.split()[2] for line in with_another.out.splitlines()[1:]] == ["1"]
    assert bertmt(*same, "--again").code == 0


def test_when_and_where_a_run_may_start_is_stored_and_shown(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run], tmp_path: Path
) -> None:
    outcome = bertmt(
        "queue", "--preset", "sst-only", *TINY, "--name", "picky", "--after", "base", "--after-ok", "later",
        "--start", "+2h", "--priority", "3", "--device", "gpu", "--checkpoint-dir", str(tmp_path / "big"),
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    run = run_named("picky")
    assert (run.queueing.priority, run.queueing.wants, run.submission.checkpoint_dir) == (
        3,
        "gpu",
        str(tmp_path / "big"),
    )
    assert {each.id: each.needs_success for each in run.queueing.awaits} == {
        run_named("base").id: False,
        run_named("later").id: True,
    }
    shown = bertmt("runs").out
    assert f"after {run_named('later').id} has finished" in shown
    assert "not before" in shown and "only on a GPU, priority 3" in shown


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--device", "tpu", "cpu or gpu"),
        ("--start", "tomorrow", "22:00"),
        ("--start", "2001-01-01 00:00", "past"),
        ("--after", "nobody", "nobody"),
        ("--checkpoint-dir", "/proc/nowhere", "cannot be made"),
        ("--priority", "9" * 20, "from −1000 to 1000"),
    ],
)
def test_a_condition_that_cannot_be_understood_queues_nothing(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, option: str, value: str, said: str
) -> None:
    before = len(all_runs(builder.database))
    outcome = bertmt("queue", "--preset", "sst-only", *TINY, option, value)
    assert outcome.code != 0 and said in outcome.err.splitlines()[-1]
    assert len(all_runs(builder.database)) == before


def test_nothing_is_queued_where_the_rest_of_the_command_cannot_read_the_registry(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder
) -> None:
    builder.database.execute(
        "INSERT INTO workers (key, host, pid, process_start, slots, started_at, heartbeat_at) "
        "VALUES (1, 'here', 1, 'x', ?, '', '')", (b"no json",),
    )  # fmt: skip
    before = len(all_runs(builder.database))
    outcome = bertmt("queue", "--preset", "sst-only", *TINY)
    assert outcome.code == 1 and outcome.out == ""
    assert len(all_runs(builder.database)) == before


def test_first_goes_before_all_that_wait(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    bertmt("queue", "--preset", "sst-only", *TINY, "--first", "--name", "urgent")
    assert run_named("urgent").queueing.position < run_named("later").queueing.position


def work_with(monkeypatch: pytest.MonkeyPatch, stand_in_child: tuple[str, ...]) -> None:
    """Let workers that are started here start stand-ins for training children."""
    program = (
        "import sys; from bertmt.devices.slots import DeviceSlot; from bertmt.worker.worker import Worker;"
        "from bertmt.registry.file.opening import open_registry; from pathlib import Path;"
        "Worker(open_registry(Path(sys.argv[1])), [DeviceSlot('cpu', 'cpu', 1)], print, sys.argv[2:]).work(drain=True)"
    )
    monkeypatch.setattr(
        "bertmt.services.lifecycle.workers.worker_command",
        lambda registry, **_: [sys.executable, "-c", program, str(registry), *stand_in_child],
    )


def test_work_and_wait_end_with_the_outcome(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch, stand_in_child: tuple[str, ...]
) -> None:
    work_with(monkeypatch, stand_in_child)
    outcome = bertmt("queue", "--preset", "sst-only", *TINY, "--name", "finish", "--work", "--wait")
    [run] = runs_in(folder)
    assert (outcome.code, run.state, run.score("sst")) == (0, "finished", 0.7)
    assert "finished  sst 0.700" in outcome.out


def test_a_waited_for_run_that_fails_ends_with_5(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch, stand_in_child: tuple[str, ...]
) -> None:
    work_with(monkeypatch, stand_in_child)
    outcome = bertmt("queue", "--preset", "sst-only", *TINY, "--name", "fail", "--work", "--wait")
    assert outcome.code == 5
    assert "`bertmt show" in outcome.err
    assert "\x1b" not in outcome.out + outcome.err


def test_a_worker_that_was_stopped_ends_the_command_and_nothing_is_waited_for(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = lambda registry, **_: [sys.executable, "-c", "raise SystemExit(130)"]  # noqa: E731
    monkeypatch.setattr("bertmt.services.lifecycle.workers.worker_command", stopped)
    outcome = bertmt("queue", "--preset", "sst-only", *TINY, "--work", "--wait")
    assert outcome.code == 130
    assert [run.state for run in runs_in(folder)] == ["queued"]


def test_runs_of_one_command_share_a_budget(bertmt: Callable[..., Outcome], folder: Path) -> None:
    asked = ("queue", "--preset", "sst-only", *TINY)
    limits = ("--max-runs", "1", "--budget-hours", "0.5")
    outcome = bertmt(*asked, "--seed", "1", "--seed", "2", *limits, "--json")
    assert outcome.code == 0 and "These runs share a budget of 0.5 h of training, 1 run;" in outcome.err
    ids = [run["id"] for run in json.loads(outcome.out)["runs"]]
    for run_id in ids:
        assert "0.00 of 0.5 h of training, 0 of 1 run begun, with 1 other" in " ".join(
            bertmt("show", run_id).out.split()
        )
    again = json.loads(bertmt(*asked, "--seed", "3", "--json").out)["runs"][0]["id"]
    assert json.loads(bertmt("show", again, "--json").out)["details"]["budget"] is None


@pytest.mark.parametrize(
    ("option", "found", "said"),
    [
        ("--budget-hours", "0", "--budget-hours expects a number above 0"),
        ("--budget-hours", "2h", "--budget-hours expects a number above 0"),
        ("--budget-kwh", "nan", "--budget-kwh expects a number above 0"),
        ("--budget-kwh", "inf", "--budget-kwh expects a number above 0"),
        ("--max-runs", "-1", "--max-runs expects a number above 0"),
        ("--max-runs", "1.5", "--max-runs expects a whole number of runs"),
    ],
)
def test_what_is_no_budget_is_refused(
    bertmt: Callable[..., Outcome], folder: Path, option: str, found: str, said: str
) -> None:
    outcome = bertmt("queue", "--preset", "sst-only", *TINY, option, found)
    assert outcome.code == 2 and said in outcome.err and not (folder / "runs.db").exists()


def test_a_budget_of_energy_that_nobody_measures_is_told_of(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for measured in (True, False):
        monkeypatch.setattr("bertmt.services.plan.submit.is_measured", lambda measured=measured: measured)
        outcome = bertmt("queue", "--preset", "sst-only", *TINY, "--budget-kwh", "1", "--dry-run")
        assert ("Nothing tells how much energy this machine draws" in outcome.err) is not measured
