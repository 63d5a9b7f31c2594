"""`make paper-gpu`, `python -m bench.paper --data DIR`: every model of the paper at its own size, and what came out.

All presets, and the pairs with which the paper's claims are tested, are queued with bert-base-uncased on all of the
course's data, worked until the queue is empty, and reported: scores beside the paper's, figures, verdicts. Nothing that
is finished is trained again, so what was interrupted is typed again; `--report` only tells what is there so far.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.queued import Queued, differences
from bertmt.api import open_registry
from bertmt.recipe.loading import presets
from bertmt.recipe.reported import Arm, Claim, claims, reported_scores
from bertmt.registry.runs import all_runs
from bertmt.services.analysis.paper.table import AtScale, PaperRow, paper_table
from bertmt.services.opening import opened_registry

# In the order of their worth: what the paper's abstract is about first, should there be no time for all.
FIRST = ("baseline", "final", "final-shared", "shared-encoder", "separate-encoders")
FIGURES = ("sst", "para")  # of `final`, Figures 8 and 9
SCORES = ("sst", "para", "sts", "overall")


def name_of(arm: Arm) -> str:
    """What the runs of an arm are called."""
    return " ".join([arm.preset, *(f"{key}={value}" for key, value in arm.settings.items())])


def arms() -> list[Arm]:
    """All presets, then what the pairs of claims have besides."""
    found = [Arm(name, {}) for name in sorted(presets(), key=lambda name: (name not in FIRST, *_place(name)))]
    pairs = [pair for claim in claims() for pair in (*claim.own, *claim.paper)]
    found += [arm for pair in pairs for arm in (pair.control, pair.changed)]
    return list({name_of(arm): arm for arm in found}.values())


def _place(name: str) -> tuple[int, float]:
    return (FIRST.index(name) if name in FIRST else 0, presets()[name].order)


def queue_all(queued: Queued, common: Mapping[str, Any], seeds: Sequence[int], has_extra: bool) -> list[str]:
    """Queue what is missing, one seed of everything before two of anything; what is left out and why."""
    left_out = [name_of(arm) for arm in arms() if arm.recipe().extra_data and not has_extra]
    for seed in seeds:
        for arm in arms():
            if name_of(arm) not in left_out:
                queued.bring(name_of(arm), arm.preset, {**arm.settings, **common}, [seed])
    return [f"{name}: it needs the extra pairs, name them with --extra-data" for name in left_out]


def report(queued: Queued, folder: Path, left_out: Sequence[str]) -> dict[str, Any]:
    """Scores, claims and figures of all runs that have finished, into the folder; what it says, as data."""
    with opened_registry(queued.path) as database:
        runs = all_runs(database)
    rows = [row for row in paper_table(runs) if row.measured]
    names = {run.name for run in runs if run.state == "finished"}
    unfinished = sorted(
        {run.name for run in runs if run.state != "finished"} | {each.split(":")[0] for each in left_out}
    )
    found = {
        "presets": [_of_preset(row, row.measured[0]) for row in rows],
        "claims": [_of_claim(queued, claim, names) for claim in claims()],
        "figures": _figures(queued, folder / "figures", names),
        "not_finished": unfinished,
        "left_out": list(left_out),
    }
    (folder / "report.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text("\n".join(lines_of(found)) + "\n", encoding="utf-8")
    return found


def _of_preset(row: PaperRow, entry: AtScale) -> dict[str, Any]:
    """The newest scale alone: a folder has one."""
    reported = reported_scores(row.preset.name)
    ours = {
        name: {
            "mean": round(each.mean, 4),
            "deviation": each.deviation and round(each.deviation, 4),
            "seeds": each.seeds,
        }
        for name, each in entry.scores.items()
    }
    return {
        "preset": row.preset.name,
        "paper": dict(reported.scores) if reported else {},
        "paper_split": reported.split if reported else "",
        "ours": ours,
        "other_than_the_papers": {name: list(both) for name, both in entry.scale_differences(row.preset).items()},
    }


def _of_claim(queued: Queued, claim: Claim, finished: set[str]) -> dict[str, Any]:
    """What our pairs say of a claim of the paper; pairs that have not been trained are named."""
    pairs = []
    for pair in claim.own:
        control, changed = name_of(pair.control), name_of(pair.changed)
        told: dict[str, Any] = {"control": control, "changed": changed}
        missing = [name for name in (control, changed) if name not in finished]
        if missing:
            told["missing"] = missing
        else:
            rows = [row for row in differences(queued.path, control, changed) if row["task"] in claim.tasks]
            told |= {"differences": rows, "outcome": outcome(claim.says, [row["verdict"] for row in rows])}
        pairs.append(told)
    return {"id": claim.id, "sentence": claim.sentence, "says": claim.says, "tasks": list(claim.tasks), "pairs": pairs}


def outcome(says: str, verdicts: Sequence[str]) -> str:
    """Whether verdicts confirm a claim: all of them do, or one of them says the contrary, or it stays undecided."""
    wanted, contrary = {"higher": ("better", "worse"), "lower": ("worse", "better"), "not higher": ("", "better")}[says]
    if any(verdict == contrary for verdict in verdicts):
        return "contradicted"
    if says == "not higher":
        return "confirmed" if verdicts and all(verdict == "worse" for verdict in verdicts) else "undecided"
    return "confirmed" if verdicts and all(verdict == wanted for verdict in verdicts) else "undecided"


def _figures(queued: Queued, folder: Path, finished: set[str]) -> list[str]:
    """Figures 8 to 10 of the first run of `final`, and the dev scores of all; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    if finished:
        written.append(_write(folder / "dev-scores.txt", queued.call("curves", *sorted(finished), "--series", "dev/*")))
    if "final" in finished:
        run = next(run["id"] for run in queued.runs() if run["name"] == "final" and run["state"] == "finished")
        for number, task in enumerate(FIGURES, start=8):
            written.append(
                _write(folder / f"figure-{number}-{task}.txt", queued.call("confusion", run, "--task", task))
            )
        written.append(_write(folder / "figure-10-sts.csv", _points(queued.path, run)))
    return written


def _points(path: Path, run: str) -> str:
    """Labels and predictions of the STS pairs: the dots of Figure 10."""
    found = open_registry(path).predictions(run)
    rows = zip(found["task"], found["label"], found["predicted"], strict=True)
    return "label,predicted\n" + "".join(f"{label},{predicted}\n" for task, label, predicted in rows if task == "sts")


def _write(file: Path, content: str) -> str:
    file.write_text(content, encoding="utf-8")
    return str(file.relative_to(file.parents[1]))


def lines_of(found: Mapping[str, Any]) -> list[str]:
    """The report in Markdown: what was trained and nothing else."""
    lines = [
        "# What was trained",
        "",
        "Dev scores, mean ± deviation over seeds (how many); below each the paper's.",
        "",
    ]
    lines += ["| preset | SST | PARA | STS ρ | overall | scale other than the paper's |", "|---|---|---|---|---|---|"]
    for row in found["presets"]:
        ours = [_cell(row["ours"].get(task)) for task in SCORES]
        paper = [_shown(row["paper"].get(task)) for task in SCORES]
        where = " (test)" if row["paper_split"] == "test" else ""
        other = ", ".join(f"{name} {ours} for {its}" for name, (ours, its) in row["other_than_the_papers"].items())
        lines.append(f"| {row['preset']} | {' | '.join(ours)} | {other or 'none'} |")
        if any(row["paper"].values()):
            lines.append(f"| – the paper{where} | {' | '.join(paper)} | |")
    lines += ["", "# The paper's claims", ""]
    for claim in found["claims"]:
        lines.append(f"- **{claim['sentence']}** ({claim['id']})")
        for pair in claim["pairs"]:
            said = f"not tried: {', '.join(pair['missing'])} missing" if "missing" in pair else _judged(pair)
            lines.append(f"  - {pair['control']} → {pair['changed']}: {said}")
    lines += ["", "# Figures", "", *(f"- {each}" for each in found["figures"])]
    if found["not_finished"]:
        lines += [
            "",
            f"Not finished: {', '.join(found['not_finished'])}.",
            *(f"- {each}" for each in found["left_out"]),
        ]
    return lines


def _judged(pair: Mapping[str, Any]) -> str:
    rows = [
        f"{row['task']} {_shown(row['difference'])} [{_shown(row['low'])}, {_shown(row['high'])}] {row['verdict']}"
        for row in pair["differences"]
    ]
    return f"{pair['outcome']} ({'; '.join(rows)})"


def _cell(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return "–"
    spread = f" ± {measured['deviation']:.3f}" if measured["deviation"] is not None else ""
    return f"{measured['mean']:.3f}{spread} ({measured['seeds']})"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.paper", description=__doc__)
    parser.add_argument("--data", required=True, help="a folder in the CS224N format, or toy")
    parser.add_argument("--extra-data", default="", metavar="FILE", help="the extra pairs, which some presets need")
    parser.add_argument("--encoder", default="bert-base-uncased")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("paper-gpu"), help="of registry, report and figures")
    parser.add_argument("--device", default="auto", help="as `bertmt worker` takes it")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="in every run, to try it small")
    parser.add_argument("--report", action="store_true", help="tell what is there, and train nothing")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Queue, work and report as the command line says."""
    asked = parsed(arguments)
    folder = asked.folder.absolute()
    queued = Queued(folder, asked.device)
    is_toy = asked.data == "toy"
    common = {"data": "toy" if is_toy else str(Path(asked.data).absolute()), "encoder": asked.encoder}
    if asked.extra_data:
        common["extra_data_file"] = str(Path(asked.extra_data).absolute())
    common |= dict(each.split("=", 1) for each in asked.set)
    left_out: list[str] = []
    if not asked.report:
        left_out = queue_all(queued, common, range(asked.seeds), is_toy or bool(asked.extra_data))
        queued.work()
    found = report(queued, folder, left_out)
    print(f"{len(found['presets'])} presets are in {folder / 'report.md'}; not finished: {len(found['not_finished'])}.")
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
