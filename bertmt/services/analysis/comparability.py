"""What makes scores hard to compare: what runs were evaluated and trained on, and how they came to their scores."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial

from bertmt.drawing.numbers import named
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import snapshot_of
from bertmt.registry.states import State
from bertmt.services.analysis.arms import Arm, distinct_names, effort, recipe_differences, tasks_of_arms
from bertmt.services.analysis.encoder_differences import encoder_warnings
from bertmt.services.plan.overlaps import commonest_sentences, overlap_sentences
from bertmt.tasks.task import Tasks

Marks = Mapping[int, str | None]  # fingerprints of data, by the key of a run; None: not known


def looks_at_dev(run: Run) -> bool:
    """Whether dev scores decided which epoch the run kept or when it stopped; then they are optimistic."""
    recipe = run.submission.shared_recipe
    return recipe.get("select") == "best" or bool(recipe.get("early_stopping"))


def left_out(database: Database, arms: Sequence[Arm]) -> list[dict[str, str]]:
    """Per arm, the tasks that cannot be compared with the first arm, each with the reason why.

    Scores on different dev examples differ for the examples' sake, and one name can be two tasks. Of the first arm,
    those that its own runs differ in.
    """
    found: list[dict[str, str]] = [{} for _ in arms]
    names = distinct_names(arms)
    for task in tasks_of_arms(arms):
        marks = [_dev_marks(database, arm, task) for arm in arms]
        for place, own in enumerate(marks):
            chosen = [0, place] if place else [0]
            sides = [(names[each], arms[each]) for each in chosen]
            reason = None
            if marks[0] and own:
                reason = _other_definition(sides, task) or _why_not(sides, [marks[each] for each in chosen])
            if reason:
                found[place][task] = reason
    return found


def left_out_sentences(reasons: Sequence[Mapping[str, str]], tasks: Tasks) -> list[str]:
    """Which tasks are left out and why, a sentence per reason; of what `left_out` found."""
    by_reason: dict[str, dict[str, None]] = {}
    for of_arm in reasons:
        for task, reason in of_arm.items():
            by_reason.setdefault(reason, {})[tasks[task].title] = None
    return [
        f"{', '.join(titles)} {'are' if len(titles) > 1 else 'is'} not compared: {reason}."
        for reason, titles in by_reason.items()
    ]


def why_other_overall(first: Arm, other: Arm) -> str | None:
    """Why the overall scores of two arms are not of the same tasks, as a sentence; None: they are, or one has none."""
    if first.mean("overall") is None or other.mean("overall") is None or set(first.tasks) == set(other.tasks):
        return None
    listed = [", ".join(task.title for task in arm.tasks.values()) for arm in (first, other)]
    return (
        f"Overall scores are not compared: {first.name} has the mean of {listed[0]}, {other.name} that of {listed[1]}."
    )


def _other_definition(sides: Sequence[tuple[str, Arm]], task: str) -> str | None:
    """How definitions of a task by these arms, each with its name, differ in what its scores mean; None: not at all."""
    known = [(name, run.tasks[task]) for name, arm in sides for run in arm.runs if task in run.tasks]
    (first, definition), *others = known
    for name, other in others:
        for what, of_one, of_other in zip(("inputs", "labels", "score"), definition.asked, other.asked, strict=True):
            if of_one != of_other:
                who = f"{first} and {name} define" if name != first else f"the runs of {name} define"
                return f"{who} it with different {what} ({of_one} against {of_other})"
    return None


def _dev_marks(database: Database, arm: Arm, task: str) -> Marks:
    """The dev examples that each run was evaluated on, as its predictions tell; of a score alone, those at submit."""
    found: dict[int, str | None] = {}
    for run in (run for run in arm.runs if task in run.tasks):
        mark = stored_predictions.fingerprint_of(database, run.key, task, run.scores.selected_epoch)
        if mark is None and run.score(task) is not None:
            mark = run.submission.fingerprints.get(f"{task}-dev")
            cut = run.recipe.get("evaluate_examples")
            mark = f"{mark}, the first {cut}" if mark and cut else mark
        if mark is not None or run.score(task) is not None:
            found[run.key] = mark
    return found


def _why_not(sides: Sequence[tuple[str, Arm]], marks: Sequence[Marks]) -> str | None:
    """Why scores of these arms, each with its name, are not of the same examples; None: they are."""
    for (name, _), own in zip(sides, marks, strict=True):
        if None in own.values():
            return f"what {name} was evaluated on is not known"
        if len(set(own.values())) > 1:
            return f"the runs of {name} were evaluated on different dev examples; name ids of one data set instead"
    if len({mark for own in marks for mark in own.values()}) > 1:
        names = " and ".join(name for name, _ in sides)
        return f"{names} were evaluated on different dev examples{_cut_short(sides)}"
    return None


def _cut_short(sides: Sequence[tuple[str, Arm]]) -> str:
    """The arm whose recipe evaluates on fewer dev examples than the other's, and what to type; "": there is none."""
    cuts = [(arm.runs[0].recipe.get("evaluate_examples") or 0, name, arm) for name, arm in sides]
    if len({cut for cut, _, _ in cuts}) < 2:
        return ""
    cut, name, arm = min((each for each in cuts if each[0]), key=lambda each: each[0])
    command = f"bertmt queue --from {arm.runs[0].id} --set evaluate_examples=0"
    return f": {name} on the first {cut:,} alone (evaluate_examples); `{command}` makes a run on all"


def warnings(arms: Sequence[Arm]) -> list[str]:
    """What a reader must know before believing a difference between these arms."""
    said = [sentence for arm in arms for run in arm.runs for sentence in _about_scores(run)]
    differences = recipe_differences(arms)
    scale = [name for name in differences if SETTINGS[name].role == "scale"]
    if scale:
        said.append(f"The arms differ in scale as well as method: {', '.join(scale)}.")
    toggles = [name for name in differences if SETTINGS[name].role == "toggle"]
    if len(arms) == 2 and len(toggles) > 1:
        said.append(f"{len(toggles)} toggles differ at once, so no difference can be attributed to one of them.")
    said += _about_training_data(arms)
    efforts = {tuple(sorted(effort(run).items())) for arm in arms for run in arm.runs}
    if len(efforts) > 1:
        said.append("The arms were trained for different amounts; see steps, examples and passes.")
    said += encoder_warnings([arm.runs for arm in arms])
    if all(len(arm.runs) == 1 for arm in arms):
        said.append("One run each: this holds for these trained models, not yet for the method; add seeds.")
    return said


def about_dev_data(database: Database, arms: Sequence[Arm], tasks: Collection[str]) -> list[str]:
    """Which dev examples stand elsewhere too, in the tasks that are compared, and what they give without a model; with
    names where not in all arms."""
    by_sentence: dict[str, dict[str, None]] = {}
    labels_of = cache(partial(stored_predictions.labels, database))  # the runs share their dev sets
    for arm, name in zip(arms, distinct_names(arms), strict=True):
        for run in arm.runs:
            said = [
                *commonest_sentences(database, run, tasks, labels_of),
                *overlap_sentences(database, run, tasks),
            ]
            for sentence in said:
                by_sentence.setdefault(sentence, {})[name] = None
    return [
        sentence if len(holds) == len(arms) else f"{named(list(holds))}: {sentence}"
        for sentence, holds in by_sentence.items()
    ]


def about_code(database: Database, arms: Sequence[Arm]) -> list[str]:
    """Whether the runs were submitted with different code of bertmt; the environment is told by `show` alone."""
    by_digest: dict[str, tuple[Snapshot, list[str]]] = {}
    for run in (run for arm in arms for run in arm.runs):
        snapshot = snapshot_of(database, run)
        if snapshot.source.get("version"):  # else another program made it, which a remark of its own says
            by_digest.setdefault(snapshot.code_digest, (snapshot, []))[1].append(f"{run.name} ({run.id})")
    if len(by_digest) < 2:
        return []
    titles = [_code_title(snapshot) for snapshot, _ in by_digest.values()]
    listed = " against ".join(
        f"{title}{f', code {digest[:8]}' if titles.count(title) > 1 else ''}: {named(names)}"
        for title, (digest, (_, names)) in zip(titles, by_digest.items(), strict=True)
    )
    return [f"The runs were queued with different code ({listed}), so a difference may be the code's."]


def _code_title(snapshot: Snapshot) -> str:
    source = snapshot.source
    commit = f", commit {str(source['commit'])[:12]}" if source.get("commit") else ""
    return f"bertmt {source['version']}{commit}{' with uncommitted changes' if source.get('diff') else ''}"


def _about_scores(run: Run) -> list[str]:
    """How a run came to its scores."""
    said = []
    if run.state is not State.FINISHED:
        said.append(f"{run.id} ({run.name}) is {run.state}: its scores are those of epoch {run.scores.selected_epoch}.")
    if run.recipe.get("select") == "best":
        said.append(f"{run.id} ({run.name}) selected its epoch on the dev set, so its scores are optimistic.")
    elif looks_at_dev(run):
        said.append(f"{run.id} ({run.name}) chose when to stop on the dev set, so its scores are optimistic.")
    return said


def _about_training_data(arms: Sequence[Arm]) -> list[str]:
    """A sentence for each split that was trained on and is not the same for all who have it."""
    runs = [run for arm in arms for run in arm.runs]
    names = dict.fromkeys(name for run in runs for name in run.submission.fingerprints if not name.endswith("-dev"))
    said, tasks = [], tasks_of_arms(arms)
    for name in names:
        task, _, split = name.partition("-")
        by_mark: dict[str, dict[str, None]] = {}
        for arm, arm_name in zip(arms, distinct_names(arms), strict=True):
            own = {run.id: run.submission.fingerprints[name] for run in arm.runs if name in run.submission.fingerprints}
            is_mixed = len(set(own.values())) > 1
            for run_id, mark in own.items():
                by_mark.setdefault(mark, {})[run_id if is_mixed else arm_name] = None
        if len(by_mark) > 1:
            what = "extra pairs" if split == "extra" else "training examples"
            listed = " against ".join(named(list(labels)) for labels in by_mark.values())
            title = tasks[task].title if task in tasks else task
            said.append(f"{title} was trained on different {what} ({listed}), not only by another method.")
    return said
