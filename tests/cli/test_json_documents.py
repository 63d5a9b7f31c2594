"""Every `--json` document parses, carries its schema, and holds what docs/cli.md says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.cli import output
from bertmt.cli.documents import DETAILS, DOCUMENTS, RUN
from bertmt.registry.records import Run
from bertmt.run_folder.events import Step, now
from bertmt.run_folder.layout import hold_alive

COMMANDS = {
    "runs": "bertmt.runs/1",
    "show base": "bertmt.run/1",
    "show later": "bertmt.run/1",
    "show evil": "bertmt.run/1",
    "presets": "bertmt.presets/1",
    "recipe --keys": "bertmt.settings/1",
    "recipe --preset final": "bertmt.recipe/1",
    "queue --preset sst-only --data toy --encoder tiny --dry-run": "bertmt.queued/1",
    "queue --preset sst-only --data toy --encoder tiny --seed 4 --seed 5": "bertmt.queued/1",
    "find sentence": "bertmt.find/1",
    "baseline": "bertmt.baseline/1",
    "baseline better": "bertmt.baseline/1",
    "workers": "bertmt.workers/1",
    "curves base better": "bertmt.curves/1",
    "confusion base": "bertmt.confusion/1",
    "confusion better --task para --baseline": "bertmt.confusion/1",
    "searches": "bertmt.searches/1",
    "compare base better": "bertmt.compared/1",
    "compare base twins": "bertmt.compared/1",
    "flips base better": "bertmt.flips/1",
    "flips better --task sts --limit 3": "bertmt.flips/1",
    "paper --figure 4": "bertmt.paper/1",
    "paper --queue --dry-run --figure 2 --data toy --encoder tiny": "bertmt.paper_queued/1",
    "slices base": "bertmt.slices/1",
    "slices base better --task sts": "bertmt.slices/1",
    "backup": "bertmt.backup/1",
    "gc": "bertmt.garbage/1",
    "repair": "bertmt.repaired/1",
    "average base better": "bertmt.averaged/1",
    "import-run nowhere": "bertmt.imported/1",
    "doctor": "bertmt.doctor/1",
}
OF_TASKS = {
    f"bertmt.{name}/1" for name in ("tasks", "task", "task_added", "task_audit", "task_removed", "preset_saved")
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_document_parses_and_holds_its_documented_keys(
    bertmt: Callable[..., Outcome], registry: Path, command: str
) -> None:
    outcome = bertmt(*command.split(), "--json")
    document = json.loads(outcome.out, parse_constant=pytest.fail)
    assert document["schema"] == COMMANDS[command]
    assert set(document) - {"schema"} == set(DOCUMENTS[document["schema"]])


def test_every_schema_is_written_by_a_command_that_is_tested(bertmt: Callable[..., Outcome]) -> None:
    # The first three need children, then comes one that needs runs of a search and one that needs matched pairs, the
    # others files: their documents are those of test_predict.py, test_try.py, test_verify_resume.py, test_search.py,
    # test_effects.py and test_task.py.
    elsewhere = {
        "bertmt.predictions/1", "bertmt.tried/1", "bertmt.verification/1", "bertmt.search/1", "bertmt.effects/1",
        *OF_TASKS,
    }  # fmt: skip
    assert set(DOCUMENTS) - set(COMMANDS.values()) == elsewhere


@pytest.mark.parametrize("name", ["base", "evil", "later", "held"])
def test_a_run_and_its_details_hold_the_documented_keys(
    bertmt: Callable[..., Outcome], registry: Path, name: str
) -> None:
    document = json.loads(bertmt("show", name, "--json").out)
    assert list(document["run"]) and set(document["run"]) == set(RUN)
    assert set(document["details"]) == set(DETAILS)


def test_a_document_of_other_keys_is_not_written() -> None:
    with pytest.raises(ValueError, match=r"bertmt.runs/1 holds"):
        output.write_document("bertmt.runs/1", {"jobs": []})


def test_scores_in_json_are_those_of_the_registry(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    run = run_named("base")
    listed = next(each for each in json.loads(bertmt("runs", "--json").out)["runs"] if each["id"] == run.id)
    assert listed["scores"] == {
        "sst": run.score("sst"),
        "para": run.score("para"),
        "sts": run.score("sts"),
        "overall": run.scores.overall,
    }


def test_similarity_stands_beside_rho_under_its_own_name(bertmt: Callable[..., Outcome], registry: Path) -> None:
    for epoch in json.loads(bertmt("show", "base", "--json").out)["details"]["epochs"]:
        assert epoch["similarity"] == (None if epoch["sts"] is None else pytest.approx((1 + epoch["sts"]) / 2))


def test_a_colour_never_gets_into_json(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.cli.output.is_terminal", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in bertmt("runs").out, "else this test measures nothing"
    assert "\x1b" not in bertmt("runs", "--json").out


def test_a_running_run_that_goes_wrong_has_its_alarms_where_runs_are_described(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, folder, events = builder.started("diverging")
    for step in range(300):
        values = {"loss/sst": 1.0 - step / 500 if step < 200 else 3.0}
        events.write(Step(at=now(), step=step, epoch=1, phase="train", values=values))
    lock = hold_alive(folder)
    listed = {each["id"]: each["alarms"] for each in json.loads(bertmt("runs", "--json").out)["runs"]}
    assert [each["rule"] for each in listed.pop(run.id)] == ["diverges"]
    assert set(map(len, listed.values())) == {0}
    [alarm] = json.loads(bertmt("show", run.id, "--json").out)["run"]["alarms"]
    assert alarm["sentence"].startswith("loss/sst diverges: 3.000")
    Path("bertmt.toml").write_text("[alarms]\ndiverges = 0\n", encoding="utf-8")
    alarms = json.loads(bertmt("show", run.id, "--json").out)["run"]["alarms"]
    assert [each["rule"] for each in alarms] == ["stalls"], "the other rule is off"
    lock.close()
    events.close()
